"""Signal and noise of advantages whose effects are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autombpo_analysis import signals
from autombpo_analysis.io import Episode
from autombpo_analysis.run import Run

SIZES = (2, 3, 3, 3)  # choices of the heads
STAGES, PER_STAGE, DECISIONS = 10, 10, 24


def episode(index: int, stage: int, action: np.ndarray, chance: np.ndarray, advantage: np.ndarray,
            config: str = "") -> Episode:  # fmt: skip
    decisions = {"action": action, "logp": np.log(chance), "advantage": advantage}
    attributes = {"hyper_episode": index, "stage": stage, "status": "finished", "config": config}
    return Episode(Path(f"{index}.h5"), attributes, decisions, {}, {}, {}, len(action), 0)


def training(rng: np.random.Generator, effect: float, by_luck: bool = False) -> Run:
    """Advantages are sums of rewards to come; 'up' of the second head is worth `effect` at once.

    by_luck: the second head prefers 'up' in hyper-episodes that are lucky, and knows which are.
    """
    episodes = []
    for index in range(STAGES * PER_STAGE):
        luck = rng.normal()
        up = (0.6 if luck > 0 else 0.1) if by_luck else 1 / 3
        chances = np.array([(1 - up) / 2, (1 - up) / 2, up])
        choice = rng.choice(3, DECISIONS, p=chances)
        none = np.ones((DECISIONS, 2))
        action = np.column_stack([rng.integers(2, size=DECISIONS), choice, -none])
        chance = np.column_stack([np.full(DECISIONS, 0.5), chances[choice], none])
        reward = rng.normal(size=DECISIONS) + luck * by_luck + effect * (choice == 2) - 3.0
        advantage = np.cumsum(reward[::-1])[::-1]
        action = action.astype(np.int8)
        episodes.append(episode(index, index // PER_STAGE, action, chance, advantage))
    return Run(Path("run"), episodes)


def row(run: Run, head: str) -> dict:
    found = {r[0]: dict(zip(signals.HEADER, r)) for r in signals.rows([run])}
    return found[head]


def test_an_effect_is_found_with_its_size():
    found = row(training(np.random.default_rng(0), effect=3.0), "real_ratio")
    assert (found["hyper_episodes"], found["decisions"]) == (100, 2400)
    assert found["p"] == 1 / 501
    # Means of the choices are apart by the effect: (-1, -1, 2); their deviation is sqrt(2).
    effects = [found[f"{place}_choice"] for place in ("first", "second", "third")]
    assert effects == pytest.approx([-1, -1, 2], abs=0.45)  # noise of 5, a third of 2400 rows
    assert found["signal"] == pytest.approx(np.sqrt(2), abs=0.3)
    assert found["needed"] < 100


def test_a_head_without_effect_shows_none():
    p = [row(training(np.random.default_rng(s), effect=3.0), "train_model")["p"] for s in range(12)]
    assert min(p) > 1 / 501 and 0.2 < np.mean(p) < 0.8  # uniform on [0, 1]: 0.5 +- 0.08


def test_the_luck_of_a_state_is_no_effect_of_the_choice_in_it():
    found = row(training(np.random.default_rng(3), effect=0.0, by_luck=True), "real_ratio")
    rows = training(np.random.default_rng(3), effect=0.0, by_luck=True)
    plain = np.concatenate([e.decisions["advantage"] for e in rows.episodes])
    choice = np.concatenate([e.decisions["action"][:, 1] for e in rows.episodes])
    assert plain[choice == 2].mean() - plain[choice != 2].mean() > 10  # what a plain mean would say
    assert abs(found["third_choice"]) < 2.5 and found["p"] > 0.05


def test_what_is_the_same_at_every_decision_is_no_noise():
    # -3 a decision is an offset of -37.5 on average, which the mean over hyper-episodes takes off.
    found = row(training(np.random.default_rng(1), effect=0.0), "real_ratio")
    assert found["mean"] == pytest.approx(-37.5, abs=1.0)
    # Sums of 1 ... 24 normal numbers: their variances are 12.5 on average.
    assert found["noise"] == pytest.approx(np.sqrt(12.5), rel=0.1)


def test_hyper_episodes_needed_do_not_depend_on_how_many_there_are():
    rng = np.random.default_rng(4)
    many = signals.rows([training(rng, effect=1.5) for _ in range(4)])[1]
    few = signals.rows([training(rng, effect=1.5)])[1]
    needed = signals.HEADER.index("needed")
    assert many[1] == 4 * few[1]
    assert 0.25 < few[needed] / many[needed] < 4  # an estimate of a square, from one run


def test_forks_are_compared_in_pairs():
    config = "ppo:\n  advantage: fork\n  episodes_per_update: 20\n  forks: 2\n"
    rng = np.random.default_rng(5)
    episodes, at = [], 3
    for index in range(60):
        base = episodes[index % 20] if index >= 20 else None
        action = rng.integers(SIZES, size=(6, 4))
        if base is not None:
            same = base.decisions["action"]
            action[:at] = same[:at]
            action = same if (action[at] == same[at]).all() else action  # the same run, then
        luck = 50 * rng.normal() if base is None else base.decisions["advantage"][0]
        advantage = np.full(6, luck)
        advantage[at] += 2.0 * action[at, 1]
        episodes.append(episode(index, 0, action, np.ones((6, 4)), advantage, config))
    found = row(Run(Path("run"), episodes), "real_ratio")
    drawn = np.array([e.decisions["action"][at, 1] for e in episodes])
    # a head that was drawn again as it was tells nothing
    assert found["decisions"] == 2 * np.count_nonzero(drawn[20:] != np.tile(drawn[:20], 2))
    assert found["noise"] < 3 and found["p"] < 0.01  # the luck of 50 is in both
    assert found["first_choice"] < found["second_choice"] < found["third_choice"]


def test_runs_that_do_not_train_have_no_signal():
    action = np.full((4, 4), -1, dtype=np.int8)
    episodes = [episode(i, 0, action, np.ones((4, 4)), np.zeros(4)) for i in range(3)]
    assert signals.rows([Run(Path("run"), episodes)]) == []
