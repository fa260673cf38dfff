"""Data sets of the hyper-MDP, of an experiment's hyper-episodes, and their card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import sealed, write_experiment

from autombpo_analysis import FormatError, export_hyper
from autombpo_analysis.experiment import Experiment
from autombpo_analysis.export_cli import main


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_experiment(tmp_path_factory.mktemp("d"), controllers=2, seeds=2)


def test_a_part_is_a_task_method_and_role_with_decisions(small: Path):
    found = export_hyper.parts(Experiment.read(small))
    assert [(p.name, p.set, p.seeds, len(p.episodes)) for p in found] == [
        ("hopper-small_autombpo_train", "tune", [0, 1], 8),
        ("hopper-small_autombpo_test", "test", [100], 4),  # MBPO decides nothing
    ]


def test_the_card_is_made_of_what_the_data_sets_hold(small: Path):
    experiment = Experiment.read(small)
    found = export_hyper.parts(experiment)
    rows = export_hyper.card(experiment, found).splitlines()
    d = [e.decisions for e in found[1].episodes]
    summary = next(row for row in rows if row.startswith("| hopper-small_autombpo_test | test"))
    returns = [each["reward"].sum() for each in d]
    assert f"| 4 | {4 * 80} | 0 | {np.mean(returns):.1f}" in summary
    asked = np.mean(np.concatenate([each["action"][:, 3] for each in d]) >= 0)
    line = next(row for row in rows if "autombpo_test | rollout_length | " in row and "%" in row)
    assert f"| {100 * asked:.0f} % |" in line
    assert "- run hopper-small autombpo train: autombpo train autombpo.yaml run.seed=0" in rows


def test_forks_and_what_is_not_finished_are_left_out(tmp_path: Path):
    path = write_experiment(tmp_path / "d", controllers=1, seeds=1)
    config = "ppo:\n  advantage: fork\n  episodes_per_update: 1\n  forks: 1\n"
    for file in (path / "hopper-small/autombpo/0/train/episodes").glob("*.h5"):
        with sealed(file) as h5:
            h5.attrs["config"] = config
    (path / "hopper-small/autombpo/0/test/COMPLETE").unlink()
    (part,) = export_hyper.parts(Experiment.read(path))
    assert [e.index for e in part.episodes] == [0, 2]
    (path / "hopper-small/autombpo/0/train/COMPLETE").unlink()
    with pytest.raises(FormatError, match="no finished run of figure-2 has decisions"):
        export_hyper.to_minari_of_experiment(Experiment.read(path), tmp_path / "out")


def test_minari_reads_them(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    minari = pytest.importorskip("minari")
    assert main([str(small), "--to", "minari", "-o", str(tmp_path)]) == 0
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    data = minari.load_dataset("autombpo/hopper-small_autombpo_train_hyper-v0")
    (part, _) = export_hyper.parts(Experiment.read(small))
    assert data.total_episodes == 8
    for episode, source in zip(data.iterate_episodes(), part.episodes):
        assert np.array_equal(episode.actions, source.decisions["action"])
        assert np.allclose(episode.rewards, source.decisions["reward"])
        assert np.allclose(episode.observations[:-1], source.decisions["state"])
    assert (tmp_path / "README.md").read_text().startswith("# Hyper-MDP data sets of figure-2")
