"""Populations (scheduler.kind=pbt): a sealed file is one round of one member.

What a user gets from a population is its best member; what it cost are the real samples of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .io import Columns, Episode, FormatError


def is_round(episode: Episode) -> bool:
    """Whether a hyper-episode is a round of a member of a population."""
    return "round" in episode.attributes


def _joined(parts: list[Columns]) -> Columns:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def population_samples(episodes: Sequence[Episode]) -> list[np.ndarray]:
    """Real samples of all members together at the end of each epoch, an array a round.

    A member that is a copy counts from where its parent stood, as it does not use those again.
    """
    known = {episode.index: episode for episode in episodes}
    rounds: dict[int, list[np.ndarray]] = {}
    for episode in episodes:
        parent = known.get(int(episode.attributes["parent"]))
        start = parent.epochs["env_step"][-1] if parent is not None else 0
        used = episode.epochs["env_step"] - start
        rounds.setdefault(int(episode.attributes["round"]), []).append(used)
    total, result = 0, []
    for index in sorted(rounds):
        longest = max(len(used) for used in rounds[index])
        # one that diverged used at least what it had at its last whole epoch
        padded = [np.pad(used, (0, longest - len(used)), mode="edge")
                  for used in rounds[index] if len(used)]  # fmt: skip
        result.append(total + np.sum(padded, axis=0))
        total = result[-1][-1]
    return result


def best_line(episodes: Sequence[Episode]) -> Episode:
    """The best member of the last round with all its parents, as one hyper-episode.

    Best is the mean evaluation return over the last round. `env_step` of its epochs are the real
    samples of the whole population.
    """
    known = {episode.index: episode for episode in episodes}
    last = max(int(episode.attributes["round"]) for episode in episodes)
    final = [e for e in episodes if int(e.attributes["round"]) == last and not e.diverged]
    if not final:
        raise FormatError(f"{episodes[0].path.parent}: no member finished round {last}")
    line = [max(final, key=lambda e: e.score)]
    while int(line[0].attributes["parent"]) >= 0:
        parent = known.get(int(line[0].attributes["parent"]))
        if parent is None:
            raise FormatError(f"{line[0].path}: its parent, hyper-episode "
                              f"{line[0].attributes['parent']}, is missing")  # fmt: skip
        line.insert(0, parent)
    epochs = _joined([episode.epochs for episode in line])
    samples = population_samples(episodes)
    steps = [samples[i][: e.n_epochs] for i, e in enumerate(line)]
    epochs["env_step"] = np.concatenate(steps)
    decisions = _joined([episode.decisions for episode in line])
    return replace(
        line[-1],
        epochs=epochs,
        decisions=decisions,
        n_epochs=len(epochs["env_step"]),
        n_decisions=len(decisions.get("env_step", ())),
    )
