"""What controllers did: schedules, the use of their heads, clipped features, stages of training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from . import curves as cv
from .io import HEAD_SIZES, HEADS, Episode
from .live import read_config
from .run import Run

POINTS = (0.0, 0.25, 0.5, 0.75, 1.0)  # of a run, at which schedules are told
SCHEDULE_HEADER = ("progress", "runs", "real_ratio", "policy_updates", "rollout_length",
                   "train_share")  # fmt: skip
HEAD_HEADER = ("head", "decisions", "first_share", "second_share", "third_share", "effective_share")
FEATURE_HEADER = ("feature", "decisions", "low_share", "high_share")
STAGE_HEADER = ("stage", "hyper_episodes", "score", "baseline", "diverged", "explored",
                "clip_fraction", "kl")  # fmt: skip


def _decided(episodes: Sequence[Episode]) -> list[Episode]:
    return [e for e in cv.finished(episodes) if e.n_decisions]


def schedule_rows(episodes: Sequence[Episode]) -> Iterator[tuple]:
    """Mean hyperparameters after the decision at each of POINTS, and the share of decisions up to
    there, from the point before, at which the model was trained."""
    usable = _decided(episodes)
    if not usable:
        return
    names = ("real_ratio", "policy_updates", "rollout_length")
    before = 0.0
    for point in POINTS:
        at = [int(point * (e.n_decisions - 1)) for e in usable]
        values = [np.mean([e.hyperparameter(n)[i] for e, i in zip(usable, at)]) for n in names]
        first = [int(before * (e.n_decisions - 1)) for e in usable]
        trained = [e.hyperparameter("model_trained")[f : i + 1].mean()
                   for e, f, i in zip(usable, first, at)]  # fmt: skip
        yield (point, len(usable), *map(float, values), float(np.mean(trained)))
        before = point


def head_rows(episodes: Sequence[Episode]) -> Iterator[tuple]:
    """How often each head chose what (skip, train; down, keep, up), and what had an effect."""
    usable = _decided(episodes)
    for h, (head, size) in enumerate(zip(HEADS, HEAD_SIZES)):
        action = np.concatenate([e.decisions["action"][:, h] for e in usable] or [np.empty(0)])
        asked = action >= 0
        if asked.any():
            effective = np.concatenate([e.decisions["effective"][:, h] for e in usable])[asked]
            shares = np.full(3, np.nan)
            shares[:size] = np.bincount(action[asked].astype(int), minlength=size) / asked.sum()
            yield (head, int(asked.sum()), *shares, float(effective.mean()))


def feature_rows(episodes: Sequence[Episode]) -> Iterator[tuple]:
    """Share of decisions at which each feature stood at the one or other end of its range."""
    usable = _decided(episodes)
    if not usable:
        return
    config = read_config(str(usable[0].attributes.get("config", "")))
    low = float(config.get("hyper.feature_min", 0))
    state = np.concatenate([e.decisions["state"] for e in usable])
    for column, name in enumerate(usable[0].feature_names):
        values = state[:, column]
        yield name, len(values), float((values <= low).mean()), float((values >= 1).mean())


def stage_rows(run: Run) -> Iterator[tuple]:
    """Each stage of a training run: mean score, R', and how far the update went."""
    if not run.trains_controller:
        return
    table = cv.stage_table(run)
    newest = run.policies[-1].stages if run.policies else {}
    known = {int(stage): i for i, stage in enumerate(newest.get("stage", ()))}
    for i, stage in enumerate(table.stage):
        update = [float(newest[name][known[stage]]) if stage in known and name in newest else np.nan
                  for name in ("clip_fraction", "kl")]  # fmt: skip
        count = len(table.scores[i]) + int(table.diverged[i])
        yield (int(stage), count, float(table.score_mean[i]), float(table.baseline[i]),
               int(table.diverged[i]), float(table.explored[i]), *update)  # fmt: skip
