"""Exports: what other programs read is what the files say. Each needs its optional library."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from synthetic import sealed, write_run
from test_live import write_live

from autombpo_analysis import export, export_cli, export_net, load
from autombpo_analysis.io import HEADS


def run(*arguments: object) -> int:
    return export_cli.main([str(a) for a in arguments])


def test_a_table_has_a_row_for_each_epoch_and_decision(training: Path):
    epochs = export.tidy(load(training))
    assert len(epochs["run"]) == 6 * 4
    third = epochs["eval_return_mean"][epochs["hyper_episode"] == 3]
    assert third.mean() == pytest.approx(load(training)[0].episodes[3].score)
    decisions = export.tidy(load(training), "decisions")
    assert len(decisions["run"]) == 6 * 32
    assert "hyperparameters_real_ratio" in decisions and "state_progress" in decisions
    with pytest.raises(ValueError, match="expected epochs or decisions"):
        export.tidy(load(training), "other")


def test_columns_that_a_run_lacks_are_missing_values(campaign: Path, training: Path):
    runs = load(training)
    del runs[0].episodes[0].epochs["alpha"], runs[0].episodes[0].epochs["model_epochs"]
    table = export.tidy(runs)
    first = table["hyper_episode"] == 0
    assert np.isnan(table["alpha"][first]).all() and np.isfinite(table["alpha"][~first]).all()
    assert (table["model_epochs"][first] == -1).all() and table["model_epochs"].dtype.kind == "i"


@pytest.mark.parametrize("pattern", ["**", "*", "**/*", ""])
def test_a_pattern_finds_each_run_once(campaign: Path, pattern: str):
    assert len(load(campaign / pattern)) == 10
    assert len(load(f"{campaign}/{pattern}")) == 10


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_are_the_table(library: str, training: Path):
    pytest.importorskip(library)
    runs = load(f"{training.parent}/**")
    frame = getattr(runs, f"to_{library}")("decisions")
    table = export.tidy(runs, "decisions")
    assert list(frame.columns) == list(table)
    assert all(np.array_equal(frame[c].to_numpy(), table[c], equal_nan=table[c].dtype.kind == "f")
               for c in table)  # fmt: skip


def test_parquet_is_the_table(training: Path, tmp_path: Path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    assert run(training, "--to", "parquet", "-o", tmp_path / "new/place") == 0
    found = pandas.read_parquet(tmp_path / "new/place/epochs.parquet")
    assert found.equals(load(training).to_pandas())


def test_npz_has_columns_and_networks(training: Path, tmp_path: Path):
    assert run(training, "--to", "npz", "-o", tmp_path) == 0
    found = np.load(tmp_path / "episode-000003.npz")
    episode = load(training)[0].episodes[3]
    assert np.array_equal(found["epochs_eval_return_mean"], episode.epochs["eval_return_mean"])
    assert found["policy_W0"].shape == (3, 8) and found["policy_b1"].shape == (2,)
    controller = np.load(tmp_path / "controller-000002.npz")
    assert controller["real_ratio_W1"].shape == (16, 3)


def test_two_runs_of_one_seed_do_not_overwrite_each_other(training: Path, tmp_path: Path):
    other = shutil.copytree(training, tmp_path / "other")
    for path in (other / "episodes").glob("*.h5"):
        with sealed(path) as file:
            file.attrs["config_hash"] = "ffffffffffffffff"
    assert run(training, other, "--to", "npz", "-o", tmp_path / "out") == 0
    assert len(list((tmp_path / "out").glob("*/episode-000000.npz"))) == 2


def test_layers_are_those_of_the_parameters():
    widths = [3, 4, 2]
    parameters = np.arange(3 * 4 + 4 + 4 * 2 + 2, dtype=float)
    (w0, b0), (w1, b1) = export_net.layers(parameters, widths)
    assert np.array_equal(np.concatenate([w0.ravel(), b0, w1.ravel(), b1]), parameters)
    assert w0.shape == (3, 4)
    with pytest.raises(ValueError, match="do not make layers"):
        export_net.layers(parameters[1:], widths)


def test_d4rl_files_continue_each_episode(training: Path, tmp_path: Path):
    assert run(training, "--to", "d4rl", "-o", tmp_path) == 0
    path = sorted(tmp_path.glob("*.hdf5"))[0]
    data = load(training)[0].episodes[0].transitions()
    with h5py.File(path) as file:
        observations, after = file["observations"][()], file["next_observations"][()]
        ended = file["terminals"][()] | file["timeouts"][()]
    assert np.array_equal(after[:-1][~ended[:-1]], observations[1:][~ended[:-1]])
    assert np.array_equal(after[ended], data["final_observations"])


def test_minari_opens_what_was_exported_without_warnings(training: Path, tmp_path: Path):
    pytest.importorskip("minari")
    command = [sys.executable, "-m", "autombpo_analysis.export_cli", training, "--to", "minari"]
    place = os.environ | {"PYTHONPATH": str(Path(export.__file__).parents[1])}
    done = subprocess.run([*command, "-o", "data"], cwd=tmp_path, capture_output=True, text=True,
                          check=False, env=place)  # fmt: skip
    assert done.returncode == 0 and done.stderr == ""
    program = """
import json, minari
found = {n: minari.load_dataset(n) for n in minari.list_local_datasets()}
task = [d for n, d in found.items() if n.endswith("_e000000-v0")][0]
hyper = [d for n, d in found.items() if n.endswith("_hyper-v0")][0]
first, decided = next(iter(task.iterate_episodes([0]))), next(iter(hyper.iterate_episodes([0])))
print(json.dumps([len(found), int(task.total_steps), int(task.total_episodes), len(hyper),
                  first.observations.tolist(), first.terminations.tolist(),
                  decided.actions.tolist(), decided.rewards.tolist()]))
"""
    place |= {"MINARI_DATASETS_PATH": str(tmp_path / "data")}
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                           check=True, env=place)  # fmt: skip
    sets, steps, episodes, hyper, observations, ended, actions, rewards = json.loads(shown.stdout)
    episode = load(training)[0].episodes[0]
    data = episode.transitions()
    assert (sets, steps, episodes, hyper) == (7, 250, 3, 6)
    assert np.array_equal(np.float32(observations[:-1]), data["observations"][:100])
    assert np.array_equal(np.float32(observations[-1]), data["final_observations"][0])
    assert ended[-1] and not any(ended[:-1])
    assert np.array_equal(actions, episode.decisions["action"])
    assert np.allclose(rewards, episode.decisions["reward"])


def test_minari_without_transitions_has_the_decisions(campaign: Path, tmp_path: Path, capsys):
    pytest.importorskip("minari")
    assert run(campaign / "autombpo/s0", "--to", "minari", "-o", tmp_path) == 0
    assert "log.transitions=true" in capsys.readouterr().err
    assert len(list(tmp_path.glob("autombpo/*-v0"))) == 1
    assert run(campaign / "autombpo/s0", "--to", "minari", "-o", tmp_path) == 1
    assert "is there already" in capsys.readouterr().err


def test_tensorboard_has_a_directory_for_each_hyper_episode(training: Path, tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert run(training, "--to", "tensorboard", "-o", tmp_path) == 0
    written = sorted(tmp_path.iterdir())
    assert len(written) == 6
    events = EventAccumulator(str(written[0]), size_guidance={"scalars": 0})
    events.Reload()
    points = events.Scalars("epoch/eval_return_mean")
    epochs = load(training)[0].episodes[0].epochs
    assert [p.step for p in points] == epochs["env_step"].tolist()
    # TensorBoard stores float32.
    assert np.allclose([p.value for p in points], epochs["eval_return_mean"], rtol=1e-6)


def test_tensorboard_follows_a_run_to_its_end(tmp_path: Path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    place = write_live(tmp_path / "run", 0, 3)
    (place / "COMPLETE").touch()
    options = ("--to", "tensorboard", "--follow", "--interval", "0.1", "-o", tmp_path / "tb")
    assert run(place, *options) == 0
    (directory,) = (tmp_path / "tb").iterdir()
    assert directory.name == "hopper-v2_mbpo_s3_012345_e000000"
    events = EventAccumulator(str(directory), size_guidance={"scalars": 0})
    events.Reload()
    points = events.Scalars("epoch/eval_return_mean")
    assert [(p.step, p.value) for p in points] == [(6000, 0.0), (7000, 10.0), (8000, 20.0)]


def _models(run: Path, place: Path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    assert export_cli.main([str(run), "--to", "onnx", "-o", str(place)]) == 0
    return lambda name: onnxruntime.InferenceSession(str(place / name))


@pytest.fixture(scope="module")
def real_run(tmp_path_factory) -> Path:
    """A run of the program that trains a controller, in seconds."""
    program = os.environ.get("AUTOMBPO", "")
    if not Path(program).is_file():
        pytest.skip("AUTOMBPO does not name the program")
    place = tmp_path_factory.mktemp("real")
    config = Path(__file__).parents[2] / "tests/mpi/tiny.yaml"
    baseline = ["baseline", "-q", "-o", "r.yaml", config, "scheduler.hyper_episodes=1", "run.dir=b"]
    train = ["train", "-q", config, "scheduler.baseline=r.yaml", "run.dir=run"]
    for command in (baseline, train):
        subprocess.run([program, *command], cwd=place, check=True, capture_output=True)
    return place / "run"


def test_a_policy_model_acts_as_the_program_does(real_run: Path, tmp_path: Path):
    model = _models(real_run, tmp_path)("policy-000003.onnx")
    play = [os.environ["AUTOMBPO"], "play", "--states", tmp_path / "states.h5", "--episodes", "3"]
    subprocess.run([*play, real_run / "episodes/000003.h5"], check=True, capture_output=True)
    with h5py.File(tmp_path / "states.h5") as file:
        starts, actions = file["ep_start"][()], file["action"][()]
        seen = [np.concatenate([file["obs0"][i : i + 1], file["obs"][a : b - 1]])
                for i, (a, b) in enumerate(zip(starts, starts[1:]))]  # fmt: skip
    (found,) = model.run(None, {"observation": np.concatenate(seen).astype(np.float32)})
    assert len(actions) > 10 and np.abs(found - actions).max() < 1e-5


def test_a_controller_model_has_the_probabilities_that_acted(real_run: Path, tmp_path: Path):
    open_model = _models(real_run, tmp_path)
    for episode in load(real_run)[0].episodes:
        model = open_model(f"controller-{episode.policy_version:06d}.onnx")
        d = episode.decisions
        found = model.run(None, {"state": d["state"].astype(np.float32)})
        names = [output.name for output in model.get_outputs()]
        assert set(names) == set(HEADS)
        for name, shares in zip(names, found):
            head = HEADS.index(name)
            asked = d["action"][:, head] >= 0
            acted = shares[asked, d["action"][asked, head]]
            assert np.abs(np.log(acted) - d["logp"][asked, head]).max() < 1e-5


def test_what_an_error_says_to_install_are_the_libraries_of_the_extra():
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    for extra, libraries in export.LIBRARIES.items():
        named = re.search(rf"^{extra} = \[(.*)\]$", text, re.M)[1]
        assert sorted(re.findall(r'"([a-z]+)', named)) == sorted(libraries.split())


def test_errors_say_what_helps(campaign: Path, tmp_path: Path, capsys, monkeypatch):
    (tmp_path / "file").touch()
    assert run(campaign, "--to", "npz", "-o", tmp_path / "file") == 1
    assert "is a file, expected a directory" in capsys.readouterr().err
    assert run(campaign / "mbpo/s0", "--to", "d4rl", "-o", tmp_path / "none") == 1
    assert "log.transitions=true" in capsys.readouterr().err and not (tmp_path / "none").exists()
    for module, extra in (("onnx", "onnx"), ("pyarrow", "parquet"), ("minari", "minari"),
                          ("tensorboard.compat.proto.event_pb2", "tensorboard")):  # fmt: skip
        monkeypatch.setitem(sys.modules, module, None)
        assert run(campaign / "mbpo/s0", "--to", extra, "-o", tmp_path / "x") == 1
        assert f"pip install {export.LIBRARIES[extra]}\n" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        run(campaign, "--to", "npz", "--follow", "-o", tmp_path / "x")
    assert stop.value.code == 2


def test_an_export_of_nothing_logged_is_refused(tmp_path: Path, capsys):
    pytest.importorskip("minari")
    write_run(tmp_path / "run", n_epochs=2, with_decisions=False)
    assert run(tmp_path / "run", "--to", "minari", "-o", tmp_path / "x") == 1
    assert "no run has logged transitions" in capsys.readouterr().err
