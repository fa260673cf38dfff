"""Laws of the reader."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from synthetic import sealed, write_episode, write_policy

from autombpo_analysis import Episode, FormatError, Policy, SkippedFileWarning, load
from autombpo_analysis.check import check_episode, check_policies
from autombpo_analysis.report_facts import files_of


def test_a_run_lists_its_episodes_and_policies_in_order(training: Path):
    (run,) = load(training)
    assert [e.index for e in run.episodes] == list(range(6))
    assert [p.version for p in run.policies] == [0, 1, 2, 3]
    assert {stage: len(episodes) for stage, episodes in run.stages().items()} == {0: 2, 1: 2, 2: 2}
    assert (run.env, run.method, run.seed) == ("hopper-v2", "autombpo", 0)
    assert run.complete and run.trains_controller


def test_trials_of_a_training_run_are_its_last_stage(training: Path):
    (run,) = load(training)
    assert [e.index for e in run.trials()] == [4, 5]
    assert [e.index for e in run.trials("all")] == [0, 1, 2, 3, 4, 5]
    assert [e.index for e in run.trials("0")] == [0, 1]
    with pytest.raises(ValueError, match="no stage 7"):
        run.trials("7")


def test_columns_are_found_by_name_and_aligned_with_decisions(training: Path):
    episode = load(training)[0].episodes[0]
    ratio = episode.hyperparameter("real_ratio")
    assert ratio.shape == (episode.n_decisions,) == (32,)
    # What a decision left behind is what the next decision sees.
    assert np.array_equal(episode.feature("real_ratio")[1:], ratio[:-1])
    assert episode.decisions["effective"].dtype == bool
    assert episode.score == pytest.approx(episode.epochs["eval_return_mean"].mean())


def test_runs_are_found_below_a_directory_by_pattern_and_once(campaign: Path):
    assert len(load(campaign)) == 10
    assert len(load(str(campaign / "*" / "s0"))) == 2
    assert len(load(campaign, campaign / "mbpo")) == 10
    assert len(load(campaign / "mbpo/s1/episodes/000000.h5")) == 1


def test_curves_stack_trials(campaign: Path):
    steps, values = load(campaign / "autombpo").curve()
    assert steps.tolist() == [6000 + 1000 * i for i in range(20)]
    assert values.shape == (5, 20)


def test_incomplete_files_are_left_out_with_a_warning(training: Path, tmp_path: Path):
    path = shutil.copytree(training, tmp_path / "run")
    write_episode(path / "episodes/000004.h5", index=4, stage=2, n_epochs=4, complete=False)
    with sealed(path / "policy/v000003.h5") as file:
        del file.attrs["complete"]
    with pytest.warns(SkippedFileWarning) as caught:
        (run,) = load(path)
    assert [e.index for e in run.episodes] == [0, 1, 2, 3, 5]
    assert [p.version for p in run.policies] == [0, 1, 2]
    assert len(caught) == len(run.skipped) == 2
    assert "complete" in run.skipped[0][1] and "000004.h5" in run.skipped[0][1]


def _damages(data: bytes) -> Iterator[bytes]:
    """One bit anywhere, in the seal everywhere; an end that is missing; something behind it."""
    size = len(data)
    for place in [*range(0, size - 40, size // 73), *range(size - 40, size)]:
        yield data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]
    for missing in (1, 33, 34, 35, size - 3000, size - 20, size):
        yield data[: size - missing]
    yield data + b"x"


def test_a_damaged_file_is_left_out(training: Path, tmp_path: Path):
    path = shutil.copytree(training, tmp_path / "run")
    victim = path / "episodes/000002.h5"
    for damaged in _damages(victim.read_bytes()):
        victim.write_bytes(damaged)
        with pytest.raises(FormatError, match="000002.h5: (is damaged|has no seal)"):
            Episode.read(victim)
    with pytest.warns(SkippedFileWarning, match="000002.h5: has no seal|000002.h5: is damaged"):
        (run,) = load(path)
    assert len(run.episodes) == 5


def _external_link(file: h5py.File, secret: Path):
    file["epochs/secret"] = h5py.ExternalLink(str(secret), "/x")


def _soft_link(file: h5py.File, secret: Path):
    file["epochs/secret"] = h5py.SoftLink("/epochs/env_step")


def _external_storage(file: h5py.File, secret: Path):
    file.create_dataset("epochs/secret", (4,), "f8", external=[(str(secret), 0, 32)])


def _virtual(file: h5py.File, secret: Path):
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource(str(secret), "x", (4,))
    file.create_virtual_dataset("epochs/secret", layout)


@pytest.mark.parametrize("forge", [_external_link, _soft_link, _external_storage, _virtual])
def test_what_leads_out_of_a_file_is_not_followed(training: Path, tmp_path: Path, forge):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.arange(4.0)
    path = shutil.copytree(training, tmp_path / "run")
    with sealed(path / "episodes/000002.h5") as file:
        forge(file, secret)
    with pytest.raises(FormatError, match="/epochs/secret (is a link to elsewhere|has its values)"):
        Episode.read(path / "episodes/000002.h5")


def test_unsealed_names_are_ignored(training: Path, tmp_path: Path):
    path = shutil.copytree(training, tmp_path / "run")
    (path / "episodes/000006.h5.tmp").write_bytes(b"half")
    (path / "episodes/.000007.h5").write_bytes(b"half")
    assert len(load(path)[0].episodes) == 6


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("format", "other", "expected 'autombpo.episode'"),
        ("format_version", 99, "newer than 1"),
        ("env", None, "missing root attributes: env"),
    ],
)
def test_a_wrong_file_is_refused_with_the_reason(tmp_path: Path, attribute, value, message):
    path = write_episode(tmp_path / "000000.h5", n_epochs=2)
    with sealed(path) as file:
        del file.attrs[attribute]
        if value is not None:
            file.attrs[attribute] = value
    with pytest.raises(FormatError, match=message) as caught:
        Episode.read(path)
    assert str(path) in str(caught.value)


def test_columns_of_different_length_are_refused(tmp_path: Path):
    path = write_episode(tmp_path / "000000.h5", n_epochs=3)
    with sealed(path) as file:
        del file["epochs/alpha"]
        file["epochs/alpha"] = np.zeros(2)
    with pytest.raises(FormatError, match="differ in length"):
        Episode.read(path)


def test_fixed_length_strings_read_like_variable_ones(tmp_path: Path):
    path = write_episode(tmp_path / "000000.h5", n_epochs=2)
    with sealed(path) as file:
        for name in ("format", "env", "method", "status"):
            file.attrs[name] = np.bytes_(file.attrs[name])
        node = file["decisions"]
        node.attrs["feature_names"] = np.bytes_(node.attrs["feature_names"])
    episode = Episode.read(path)
    assert (episode.env, episode.method) == ("hopper-v2", "autombpo")
    assert episode.feature("progress")[0] == 0


def test_nothing_to_read_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing")
    with pytest.raises(FormatError, match="no run directory"):
        load(tmp_path)
    (tmp_path / "run/episodes").mkdir(parents=True)
    with pytest.raises(FormatError, match="no hyper-episode is sealed"):
        load(tmp_path / "run")


def test_torn_last_line_of_metrics_is_left_out(training: Path):
    events = list(load(training)[0].metrics())
    assert len(events) == 24 and all(e["event"] == "epoch" for e in events)
    assert load(training)[0].status()["v"] == 1


def test_policy_has_heads_in_file(tmp_path: Path):
    policy = Policy.read(write_policy(tmp_path / "v000002.h5", 2))
    assert policy.version == 2
    assert set(policy.heads) == {"train_model", "real_ratio", "policy_updates", "rollout_length"}
    assert policy.head_attributes["real_ratio"]["adam_step"] == 600


def test_transitions_and_final_policy(training: Path):
    episode = load(training)[0].episodes[0]
    data = episode.transitions()
    assert len(data["rewards"]) == data["episode_ends"][-1] == 250
    arrays, attributes = episode.final_policy()
    assert attributes["activation"] == "relu" and len(arrays["parameters"]) == 50


def test_a_documented_episode_has_no_problems(training: Path, campaign: Path):
    for run in load(training, campaign):
        for episode in run.episodes:
            assert check_episode(episode) == []
        assert check_policies(run) == []


@pytest.mark.parametrize(
    ("column", "row", "value", "message"),
    [
        ("advantage", 3, 99.0, "eq. 9"),
        ("reward", 3, 99.0, "reward_train_model"),
        ("logp", 3, 0.1, "probability above 1"),
        ("state", 3, 1.5, "outside"),
        ("action", 3, 3, "size of the head"),
        ("env_step", 3, 0, "does not increase"),
    ],
)
def test_check_finds_a_broken_column(tmp_path: Path, column, row, value, message):
    path = write_episode(tmp_path / "000000.h5", n_epochs=2)
    with sealed(path) as file:
        file[f"decisions/{column}"][row] = value
    assert any(message in problem for problem in check_episode(Episode.read(path)))


def test_check_finds_what_depends_on_the_host(tmp_path: Path):
    path = write_episode(tmp_path / "000000.h5", n_epochs=2)
    with sealed(path) as file:
        file.attrs["hostname"] = "n01"
        del file["epochs/alpha"]
    problems = check_episode(Episode.read(path))
    assert problems == ["/epochs/alpha is missing", "root attribute hostname depends on the host"]


def test_check_finds_a_broken_controller(training: Path, tmp_path: Path):
    path = shutil.copytree(training, tmp_path / "run")
    with sealed(path / "policy/v000003.h5") as file:
        file["stages/score"][1] = 1.0
        file["features/trained_low"][4] -= 1.0
        del file["heads/real_ratio/adam_mean"]
    (score, adam, low) = sorted(check_policies(load(path)[0]), reverse=True)
    assert "row 1 is not the mean" in score
    assert "/heads/real_ratio/adam_mean" in adam
    assert "/features/trained_low" in low


def pack(directory: Path, first: int, last: int) -> Path:
    """Put sealed files into one, as `run.pack` does (docs/formats.md, section 1)."""
    path = directory / f"packed/{first:06d}-{last:06d}.tar"
    path.parent.mkdir(exist_ok=True)
    index, place = b"", 0
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for e in range(first, last + 1):
            file = directory / f"{e:06d}.h5"
            size = file.stat().st_size
            archive.add(file, file.name)
            index += b"%-11s%22d%22d\n" % (file.name.encode(), place + 512, size)
            place += 512 + -(-size // 512) * 512
            file.unlink()
        entry = tarfile.TarInfo("index.txt")
        entry.size = len(index)
        archive.addfile(entry, io.BytesIO(index))
        end = archive.offset
    data = path.read_bytes()
    path.write_bytes(data[:end] + bytes(1024))  # tarfile writes more zeros
    return path


def test_a_packed_run_is_read_as_any_other(training: Path, tmp_path: Path):
    path = shutil.copytree(training, tmp_path / "run")
    packed = [pack(path / "episodes", 0, 1), pack(path / "episodes", 2, 3)]
    (single,), (run,) = load(training), load(path)
    assert [e.path.name for e in run.episodes] == [e.path.name for e in single.episodes]
    for left, right in zip(single.episodes, run.episodes):
        assert np.array_equal(left.epochs["eval_returns"], right.epochs["eval_returns"])
        assert np.array_equal(left.transitions()["rewards"], right.transitions()["rewards"])
    assert load(path / "episodes/000003.h5")[0].episodes[0].index == 3
    assert [f.name for f in files_of(run)][:3] == [packed[0].name, packed[1].name, "000004.h5"]
    with pytest.raises(FileNotFoundError):
        load(path / "episodes/000006.h5")


def test_a_packed_file_that_is_damaged_is_left_out(training: Path, tmp_path: Path):
    path = shutil.copytree(training, tmp_path / "run")
    packed = pack(path / "episodes", 0, 2)
    data = bytearray(packed.read_bytes())
    data[600] ^= 1
    data[data.index(b"000001.h5  ")] = ord("9")
    packed.write_bytes(data)
    with pytest.warns(SkippedFileWarning) as warned:
        (run,) = load(path)
    assert [e.index for e in run.episodes] == [2, 3, 4, 5]
    texts = " ".join(str(w.message) for w in warned)
    assert "000000.h5: is damaged" in texts
    assert "does not tell where 000001.h5 is" in texts
