"""Signal and noise of the advantage, head by head: can a controller learn from what it is told?

The advantage of a decision (equation 9) holds what the choice of a head did, the signal, and all
else that happened until the end of the hyper-episode, the noise. Grouped by choice, whatever the
state:

- noise: deviation of the advantage within a choice, after the mean over the hyper-episodes of a
  stage at the same decision is taken off;
- signal: deviation between the means of the choices, less what chance gives. Each decision has the
  weight 1 / probability of its choice, so that a controller which chooses by state does not pass
  off the luck of a state as an effect of the choice;
- chance: the same after whole sequences of advantages are exchanged between the hyper-episodes of a
  stage. Decisions of one hyper-episode share its luck, and stay together. `p` is the share of such
  exchanges that show a signal at least as large.

Chance falls as 1 / hyper-episodes. `needed` is how many make the signal twice chance's deviation;
there is none if no signal was found. With advantages from forks (ppo.advantage=fork) a pair of runs
that differ in one decision is what is grouped, and chance exchanges the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .io import HEAD_SIZES, HEADS, Episode
from .live import read_config
from .run import Run

SHUFFLES = 500
HEADER = ("head", "hyper_episodes", "decisions", "mean", "noise", "signal", "ratio", "p", "needed",
          "first_choice", "second_choice", "third_choice")  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """Decisions (n) of a head: choices, weights, advantages; `exchange` is what chance does."""

    choice: np.ndarray
    weight: np.ndarray
    advantage: np.ndarray
    raw: np.ndarray
    exchange: Callable[[np.random.Generator], np.ndarray]
    hyper_episodes: int


def _stages(run: Run) -> list[list[Episode]]:
    """Hyper-episodes with decisions, by stage: two or more, or there is nothing to exchange."""
    stages = [[e for e in stage if e.n_decisions] for stage in run.stages().values()]
    return [stage for stage in stages if len(stage) > 1]


def _fork_settings(episode: Episode) -> tuple[int, int]:
    """Hyper-episodes of a stage, and forks of each; no forks for other advantages."""
    config = read_config(str(episode.attributes.get("config", "")))
    if config.get("ppo.advantage") != "fork":
        return 0, 0
    return int(config["ppo.episodes_per_update"]), int(config["ppo.forks"])


def is_fork_of_stage(episode: Episode) -> bool:
    """Whether a hyper-episode of training repeats another one up to a decision."""
    size, forks = _fork_settings(episode)
    return forks > 0 and episode.index % (size * (1 + forks)) >= size


# Returns to go -----------------------------------------------------------------------------------


def _advantages(stage: Sequence[Episode]) -> np.ndarray:
    """(hyper-episodes, decisions); NaN behind a divergence."""
    table = np.full((len(stage), max(e.n_decisions for e in stage)), np.nan)
    for row, episode in zip(table, stage):
        row[: episode.n_decisions] = episode.decisions["advantage"]
    return table


def _padded(stage: Sequence[Episode], column: str, head: int, fill: float) -> np.ndarray:
    table = np.full((len(stage), max(e.n_decisions for e in stage)), fill)
    for row, episode in zip(table, stage):
        row[: episode.n_decisions] = episode.decisions[column][:, head]
    return table


def _of_returns(stages: Sequence[Sequence[Episode]], head: int) -> Sample:
    parts = []
    for stage in stages:
        raw = _advantages(stage)
        reached = np.isfinite(raw)
        count = reached.sum(axis=0)
        middle = np.where(reached, raw, 0).sum(axis=0) / np.maximum(count, 1)
        # of n values around their own mean: the deviation of one around the true mean
        scale = np.sqrt(count / np.maximum(count - 1, 1))
        choice = _padded(stage, "action", head, -1)
        parts.append(((raw - middle) * scale, raw, choice, _padded(stage, "logp", head, np.nan)))
    asked = [(choice >= 0) & np.isfinite(a) for a, _, choice, _ in parts]

    def exchange(rng: np.random.Generator) -> np.ndarray:
        return np.concatenate(
            [a[rng.permutation(len(a))][mask] for (a, *_), mask in zip(parts, asked)]
        )

    def flat(column: int) -> np.ndarray:
        return np.concatenate([part[column][mask] for part, mask in zip(parts, asked)])

    return Sample(flat(2).astype(int), np.exp(-flat(3)), flat(0), flat(1), exchange,
                  sum(len(stage) for stage in stages))  # fmt: skip


# Forks -------------------------------------------------------------------------------------------


def _first_difference(base: Episode, fork: Episode) -> int | None:
    """The decision that was drawn anew; None if the same was drawn again."""
    count = min(base.n_decisions, fork.n_decisions)
    differs = base.decisions["action"][:count] != fork.decisions["action"][:count]
    rows = np.flatnonzero(differs.any(axis=1))
    return int(rows[0]) if len(rows) else None


def _fork_pairs(stage: Sequence[Episode], size: int, forks: int) -> Iterator[tuple]:
    """(hyper-episode, fork of it, the decision that was drawn anew), where that became another."""
    known = {episode.index: episode for episode in stage}
    for index, fork in known.items():
        within = index % (size * (1 + forks))
        base = known.get(index - within + within % size)
        if within >= size and base is not None:
            at = _first_difference(base, fork)
            if at is not None:
                yield base, fork, at


def _of_forks(stages: Sequence[Sequence[Episode]], head: int, settings: tuple[int, int]) -> Sample:
    """Pairs whose drawn decisions differ in this head; those that are equal tell nothing."""
    choice, difference = [], []
    for stage in stages:
        for base, fork, at in _fork_pairs(stage, *settings):
            pair = [e.decisions["action"][at, head] for e in (base, fork)]
            if pair[0] != pair[1] and min(pair) >= 0:
                choice.append(pair)
                difference.append(base.decisions["advantage"][at] - fork.decisions["advantage"][at])
    pairs, gain = np.array(choice, int).reshape(-1, 2), np.array(difference)
    advantage = np.column_stack([gain, -gain]).ravel()

    def exchange(rng: np.random.Generator) -> np.ndarray:
        return advantage * np.repeat(rng.choice([-1.0, 1.0], len(gain)), 2)

    return Sample(pairs.ravel(), np.ones(len(advantage)), advantage, advantage, exchange,
                  sum(len(stage) for stage in stages))  # fmt: skip


# Summary -----------------------------------------------------------------------------------------


def _means(sample: Sample, advantage: np.ndarray, choices: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean advantage of each choice, and its share of the weights."""
    known = np.isfinite(advantage)
    weight = np.where(known, sample.weight, 0.0)
    total = np.bincount(sample.choice, weight, choices)
    summed = np.bincount(sample.choice, weight * np.where(known, advantage, 0.0), choices)
    return summed / np.maximum(total, 1e-300), total / total.sum()


def _between(means: np.ndarray, share: np.ndarray) -> float:
    return float(share @ (means - share @ means) ** 2)


def summarise(samples: Sequence[Sample], choices: int, seed: int = 0) -> tuple:
    """Rows for HEADER, without the head, of one or more training runs pooled."""
    pool = Sample(
        *(np.concatenate([getattr(s, name) for s in samples])
          for name in ("choice", "weight", "advantage", "raw")),
        lambda rng: np.concatenate([s.exchange(rng) for s in samples]),
        sum(s.hyper_episodes for s in samples),
    )  # fmt: skip
    n = len(pool.choice)
    if len(np.unique(pool.choice)) < 2:
        return (pool.hyper_episodes, n, *[np.nan] * 9)
    means, share = _means(pool, pool.advantage, choices)
    observed = _between(means, share)
    rng = np.random.default_rng(seed)
    chance = np.array(
        [_between(*_means(pool, pool.exchange(rng), choices)) for _ in range(SHUFFLES)]
    )
    inside = pool.advantage - means[pool.choice]
    noise = float(np.sqrt(np.average(inside**2, weights=pool.weight)))
    signal = max(0.0, observed - float(chance.mean()))
    p = (1 + np.count_nonzero(chance >= observed)) / (1 + SHUFFLES)
    needed = 4 * pool.hyper_episodes * float(chance.mean()) / signal if signal > 0 else np.nan
    effects = np.full(3, np.nan)
    effects[:choices] = np.where(share > 0, means - share @ means, np.nan)
    ratio = float(np.sqrt(signal)) / noise if noise > 0 else np.nan
    return (pool.hyper_episodes, n, float(pool.raw.mean()), noise, float(np.sqrt(signal)), ratio, p,
            needed, *effects)  # fmt: skip


def samples(run: Run) -> dict[str, Sample]:
    """The decisions of each head of a training run; heads that were never asked are left out."""
    stages = _stages(run)
    if not stages or "advantage" not in stages[0][0].decisions:
        return {}
    settings = _fork_settings(stages[0][0])
    found = {}
    for h, head in enumerate(HEADS):
        sample = _of_forks(stages, h, settings) if settings[1] else _of_returns(stages, h)
        if len(sample.choice):
            found[head] = sample
    return found


def rows(runs: Sequence[Run]) -> list[tuple]:
    """A row of HEADER for each head, all runs pooled."""
    found = [samples(run) for run in runs]
    return [
        (head, *summarise([each[head] for each in found if head in each], size))
        for head, size in zip(HEADS, HEAD_SIZES)
        if any(head in each for each in found)
    ]
