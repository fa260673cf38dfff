"""Effects of single decisions, from forks (autombpo fork).

A fork repeats one hyper-episode with one decision otherwise and everything else as it was, so that a
difference is an effect and not noise. One fork is one decision of one hyper-episode; what a choice
does on average needs forks of several, over which the intervals are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .io import HEADS, Episode, FormatError
from .run import Run
from .stats import bootstrap_interval, mean

HEADER = ("choice", "forks", "score", "score_low", "score_high",
          "reward_to_come", "reward_low", "reward_high", "diverged")  # fmt: skip


@dataclass(frozen=True)
class Effect:
    """Differences (n) that a choice made against what was chosen, over n forks."""

    choice: str
    score: np.ndarray
    reward: np.ndarray
    diverged: int

    def row(self) -> tuple:
        """One row of HEADER."""
        result: list = [self.choice, len(self.score)]
        for values in (self.score, self.reward):
            if len(values) == 0:
                result += [float("nan")] * 3
            else:
                low, high = bootstrap_interval(values, mean)
                result += [float(values.mean()), float(low), float(high)]
        return (*result, self.diverged)


def _option(episode: Episode, name: str) -> str:
    """An option of the section `fork` of the configuration that a file carries."""
    section = re.search(r"^fork:\n((?:[ #].*\n)+)", str(episode.attributes.get("config", "")), re.M)
    found = re.search(rf"^ +{name}: *(.*)$", section[1], re.M) if section else None
    if not found:
        raise FormatError(f"{episode.path}: is not of a fork (autombpo fork)")
    return found[1].strip().strip("\"'")


def is_fork(episode: Episode) -> bool:
    """Whether a hyper-episode is of a fork."""
    return bool(re.search(r"^ +kind: fork$", str(episode.attributes.get("config", "")), re.M))


def fork_differences(run: Run) -> list[tuple[str, float, float, bool]]:
    """(choice, difference of the score, of the reward to come, diverged) of each alternative."""
    base, *others = sorted(run.episodes, key=lambda e: e.index)
    choices = _option(base, "choices").split(",")
    at = int(_option(base, "decision"))
    if len(choices) != len(others):
        raise FormatError(f"{run.path}: {len(others)} alternatives, expected {len(choices)}: "
                          "not complete")  # fmt: skip
    advantage = base.decisions["advantage"][at]
    return [
        (choice, e.attributes["score"] - base.attributes["score"],
         e.decisions["advantage"][at] - advantage, e.diverged)
        for choice, e in zip(choices, others)
    ]  # fmt: skip


def _order(choice: str) -> tuple[int, int]:
    head, _, name = choice.partition("=")
    return HEADS.index(head), ("skip", "train", "down", "keep", "up").index(name)


def effects(runs: Sequence[Run]) -> list[Effect]:
    """The effect of each choice over all forks, head by head.

    One that diverged has no difference that could be averaged: it is counted.
    """
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for run in runs:
        for choice, score, reward, diverged in fork_differences(run):
            found.setdefault(choice, []).append((score, reward, diverged))
    return [
        Effect(choice, np.array([s for s, _, lost in rows if not lost]),
               np.array([r for _, r, lost in rows if not lost]), sum(lost for *_, lost in rows))
        for choice, rows in sorted(found.items(), key=lambda item: _order(item[0]))
    ]  # fmt: skip
