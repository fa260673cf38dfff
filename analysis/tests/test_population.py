"""Populations are one trial over the samples of all members; forks are effects over runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from synthetic import sealed, write_episode

from autombpo_analysis import FormatError, load
from autombpo_analysis.cli import main
from autombpo_analysis.effects import effects
from autombpo_analysis.population import population_samples


def write_unit(run: Path, index: int, members: int, parent: int, steps: list[int],
               returns: list[float]) -> None:  # fmt: skip
    path = run / "episodes" / f"{index:06d}.h5"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_episode(path, index=index, n_epochs=len(steps), method="pbt")
    with sealed(path) as file:
        file.attrs["member"], file.attrs["round"] = index % members, index // members
        file.attrs["parent"], file.attrs["first_epoch"] = parent, index // members * len(steps)
        file["epochs/env_step"][:] = steps
        file["epochs/eval_return_mean"][:] = returns


def population(run: Path) -> None:
    """Two members, two rounds of two epochs; member 0 of the second round is a copy of member 1."""
    write_unit(run, 0, 2, -1, [110, 120], [1.0, 2.0])
    write_unit(run, 1, 2, -1, [210, 220], [5.0, 6.0])
    write_unit(run, 2, 2, 1, [230, 240], [9.0, 9.0])
    write_unit(run, 3, 2, 1, [230, 240], [7.0, 8.0])


def test_samples_are_those_of_all_members(tmp_path: Path):
    population(tmp_path / "run")
    episodes = load(tmp_path / "run")[0].episodes
    first, second = population_samples(episodes)
    assert first.tolist() == [320, 340]
    assert second.tolist() == [360, 380]  # each of the two went on from 220


def test_a_population_is_one_trial(tmp_path: Path):
    population(tmp_path / "run")
    (trial,) = load(tmp_path / "run").trials()
    assert trial.epochs["env_step"].tolist() == [320, 340, 360, 380]
    assert trial.epochs["eval_return_mean"].tolist() == [5.0, 6.0, 9.0, 9.0]
    assert trial.n_decisions == len(trial.decisions["env_step"])


def test_a_line_without_its_parent_is_refused(tmp_path: Path):
    population(tmp_path / "run")
    (tmp_path / "run/episodes/000001.h5").unlink()
    with pytest.raises(FormatError, match="its parent, hyper-episode 1, is missing"):
        load(tmp_path / "run").trials()


def write_fork(run: Path, differences: list[float]) -> None:
    choices = "real_ratio=up,policy_updates=down"
    config = f'scheduler:\n  kind: fork\nfork:\n  of: ppo\n  decision: 2\n  choices: "{choices}"\n'
    for index, difference in enumerate([0.0, *differences]):
        path = run / "episodes" / f"{index:06d}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_episode(path, index=index, method="fork")
        with sealed(path) as file:
            file.attrs["config"] = config
            file.attrs["score"] = 100 + difference
            file["decisions/advantage"][2] = 10 * difference


def test_effects_are_differences_over_forks(tmp_path: Path):
    for i in range(5):
        write_fork(tmp_path / f"fork-{i}", [1.0 + i, -2.0])
    ratio, updates = effects(load(tmp_path))
    assert (ratio.choice, updates.choice) == ("real_ratio=up", "policy_updates=down")
    assert ratio.score == pytest.approx(np.arange(1.0, 6.0))
    assert ratio.reward == pytest.approx(10 * np.arange(1.0, 6.0))
    name, forks, score, low, high, *_ = ratio.row()
    assert (name, forks, score) == ("real_ratio=up", 5, 3.0) and 1 < low < 3 < high < 5
    assert updates.row()[2:5] == pytest.approx((-2.0, -2.0, -2.0))
    assert main(["effects", str(tmp_path), "-o", str(tmp_path / "effects.png")]) == 0
    assert (tmp_path / "effects.csv").read_text().splitlines()[1].startswith("real_ratio=up,5,3,")


def test_what_is_no_fork_is_refused(tmp_path: Path):
    path = tmp_path / "run/episodes/000000.h5"
    path.parent.mkdir(parents=True)
    write_episode(path)
    with pytest.raises(FormatError, match="is not of a fork"):
        effects(load(tmp_path / "run"))
