"""From hyper-episodes to the arrays that are plotted: no drawing here."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .io import HEADS, Episode, FormatError
from .run import Run

SCHEDULE = ("real_ratio", "model_training", "policy_updates", "rollout_length")


@dataclass(frozen=True)
class Curves:
    """Values (n, T) of n trials at common real-sample counts `steps` (T)."""

    steps: np.ndarray
    values: np.ndarray
    episodes: list[Episode]
    diverged: int

    def groups(self) -> list[np.ndarray]:
        """Values by the controller that trials share; a trial without one is a group of its own."""
        found: dict[object, list[int]] = {}
        for i, episode in enumerate(self.episodes):
            found.setdefault(episode.attributes.get("controller", ("alone", i)), []).append(i)
        return [self.values[rows] for rows in found.values()]

    def count_until(self, steps: float) -> int:
        """Evaluations up to about `steps` real samples (half an interval is let pass)."""
        slack = 0.5 * float(np.diff(self.steps).min()) if len(self.steps) > 1 else 0.0
        return int(np.count_nonzero(self.steps <= steps + slack))


def finished(episodes: Sequence[Episode]) -> list[Episode]:
    """Hyper-episodes that neither diverged nor lack an evaluation."""
    return [e for e in episodes if not e.diverged and e.n_epochs > 0]


def check_horizons(episodes: Sequence[Episode]) -> None:
    """Refuses to compare returns of a task whose episodes are cut after different numbers of steps."""
    cut_at: dict[int, Episode] = {}
    for episode in episodes:
        if "horizon" in episode.env_spec:
            cut_at.setdefault(int(episode.env_spec["horizon"]), episode)
    if len(cut_at) > 1:
        (one, first), (other, second) = list(cut_at.items())[:2]
        raise FormatError(
            f"{first.env}: episodes are cut after {one} steps ({first.path}) and after {other} "
            f"({second.path}): their returns cannot be compared"
        )


def trial_counts(episodes: Sequence[Episode]) -> str:
    """How many trials (hyper-episodes) there are, and of how many runs."""
    runs = len({episode.path.parent for episode in episodes})
    trials = f"{len(episodes)} trial{'s' if len(episodes) != 1 else ''}"
    return f"{trials} of {runs} run{'s' if runs != 1 else ''}"


def _by_epoch(steps: list[np.ndarray], values: list[np.ndarray]) -> tuple | None:
    """Trials side by side, epoch by epoch; None if they are more than an epoch apart."""
    shortest = min(len(s) for s in steps)
    at = np.array([s[:shortest] for s in steps], dtype=float)
    apart = (at.max(axis=0) - at.min(axis=0)).max()
    interval = np.diff(at, axis=1).min() if shortest > 1 else np.inf
    if apart >= interval:
        return None
    return np.rint(at.mean(axis=0)).astype(int), np.array([v[:shortest] for v in values], float)


def _interpolated(steps: list[np.ndarray], values: list[np.ndarray]) -> tuple | None:
    """Trials on a common grid over the range that all cover; None if there is none."""
    first, last = max(s[0] for s in steps), min(s[-1] for s in steps)
    if first > last:
        return None
    interval = max(int(np.median(np.diff(s))) if len(s) > 1 else 1 for s in steps)
    grid = np.arange(first, last + 1, interval)
    return grid, np.array([np.interp(grid, s, v) for s, v in zip(steps, values)])


def learning_curves(episodes: Sequence[Episode], column: str = "eval_return_mean") -> Curves:
    """A column of /epochs of all finished trials, over real samples.

    Exploration ends with a whole episode, so that trials of one configuration are some samples
    apart: they are put side by side by epoch, at their mean number of real samples. Trials that
    are further apart are interpolated linearly. Those that diverged are left out and counted; the
    caller reports them.
    """
    usable = finished(episodes)
    if not usable:
        raise FormatError(f"none of {len(episodes)} hyper-episodes finished an epoch")
    check_horizons(usable)
    for episode in usable:
        if column not in episode.epochs:
            raise FormatError(f"{episode.path}: /epochs has no column {column!r}")
    steps = [e.epochs["env_step"] for e in usable]
    values = [e.epochs[column] for e in usable]
    name = f"{usable[0].env} {usable[0].method}"
    aligned = _by_epoch(steps, values)
    if aligned is None:
        warnings.warn(
            f"{name}: trials are evaluated at different times; interpolated", stacklevel=2
        )
        aligned = _interpolated(steps, values)
    if aligned is None:
        raise FormatError(f"{name}: trials have no range of real samples in common")
    longest = max(len(s) for s in steps)
    if len(aligned[0]) < longest:
        warnings.warn(
            f"{name}: trials differ in length; "
            f"only the {len(aligned[0])} of {longest} evaluations that all have are used",
            stacklevel=2,
        )
    return Curves(*aligned, usable, len(episodes) - len(usable))


def final_window(n_epochs: int) -> int:
    """Evaluations that make the final return: the last tenth of the run, at least one."""
    return max(1, n_epochs // 10)


def final_returns(episodes: Sequence[Episode], until: float = np.inf) -> np.ndarray:
    """Final return of each finished trial, at the last evaluation that all of them have.

    It is the mean over the last tenth of the evaluations up to `until` real samples.
    """
    curves = learning_curves(episodes)
    count = curves.count_until(until)
    if count == 0:
        raise FormatError(f"{curves.episodes[0].path}: no evaluation up to {until:g} real samples")
    return curves.values[:, count - final_window(count) : count].mean(axis=1)


@dataclass(frozen=True)
class Schedules:
    """Hyperparameters of n trials over T equal parts of the run.

    progress: (T), centres of the parts; values[name]: (n, T); original[name]: (T), the task's
    original MBPO configuration (NaN where unknown). `model_training` is relative to that of the
    original configuration, or in trainings an epoch if `relative` is False.
    """

    progress: np.ndarray
    values: dict[str, np.ndarray]
    original: dict[str, np.ndarray]
    relative: bool


def _binned(progress: np.ndarray, values: np.ndarray, bins: int) -> np.ndarray:
    """Mean of `values` in each of `bins` equal parts; an empty part repeats the one before.

    Empty parts at the start take the first value.
    """
    part = np.clip((progress * bins).astype(int), 0, bins - 1)
    count = np.bincount(part, minlength=bins)
    total = np.bincount(part, weights=values, minlength=bins)
    result = np.full(bins, np.nan)
    result[count > 0] = total[count > 0] / count[count > 0]
    previous = values[0]
    for i in range(bins):
        previous = result[i] = result[i] if count[i] else previous
    return result


def _epoch_progress(episode: Episode) -> np.ndarray:
    return (np.arange(episode.n_epochs) + 0.5) / episode.n_epochs


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Centred running mean over a tenth of the parts, at least three; shorter at the ends."""
    half = max(1, len(values) // 20)
    return np.array([values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))])


def _scheduled_training(episode: Episode) -> bool:
    """Whether decisions set the training of the model, so that they tell when it was trained."""
    return bool(
        (episode.decisions["action"][:, episode.head_names.index("train_model")] >= 0).any()
    )


def _one_schedule(episode: Episode, bins: int) -> dict[str, np.ndarray]:
    """Schedule of one trial, from its decisions if it has any, else from its epochs."""
    epochs = episode.epochs
    at = _epoch_progress(episode)
    names = [name for name in SCHEDULE if name != "model_training"]
    trainings = _binned(at, epochs["model_trainings"].astype(float), bins)
    if episode.n_decisions == 0:
        result = {name: _binned(at, epochs[name].astype(float), bins) for name in names}
    else:
        at = episode.feature("progress")
        result = {name: _binned(at, episode.hyperparameter(name), bins) for name in names}
        if _scheduled_training(episode):
            per_epoch = episode.n_decisions / episode.n_epochs
            trainings = per_epoch * _binned(at, episode.hyperparameter("model_trained"), bins)
    result["model_training"] = _smoothed(trainings)
    return result


def _rows(episode: Episode) -> int:
    return episode.n_decisions or episode.n_epochs


def schedules(episodes: Sequence[Episode], bins: int = 40) -> Schedules:
    """Hyperparameter schedules of the finished trials over scaled training progress."""
    usable = finished(episodes)
    if not usable:
        raise FormatError(f"none of {len(episodes)} hyper-episodes finished an epoch")
    bins = min([bins] + [_rows(e) for e in usable])
    rows = [_one_schedule(e, bins) for e in usable]
    values = {name: np.array([row[name] for row in rows]) for name in SCHEDULE}
    original = {name: np.full(bins, np.nan) for name in SCHEDULE}
    known = next((e for e in usable if "original" in e.epochs), None)
    relative = False
    if known is not None:
        order = ("model_training", "real_ratio", "policy_updates", "rollout_length")
        epoch = ((np.arange(bins) + 0.5) / bins * known.n_epochs).astype(int)
        for column, name in enumerate(order):
            original[name] = known.epochs["original"][epoch, column].astype(float)
        frequency = original["model_training"]
        relative = True
        # A method without a model never trains it: 0 of 0 counts as 0.
        trained = values["model_training"]
        values["model_training"] = np.where(
            frequency > 0, trained / np.maximum(frequency, 1e-12), 0
        )
        original["model_training"] = np.where(frequency > 0, 1.0, np.nan)
    return Schedules((np.arange(bins) + 0.5) / bins, values, original, relative)


def effective_share(
    episodes: Sequence[Episode], head: int, parts: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(progress, decisions, share with an effect), each (parts), of what a head was asked.

    The share is NaN where it was not asked.
    """
    progress, took = [np.empty(0)], [np.empty(0)]
    for episode in episodes:
        if episode.n_decisions:
            asked = episode.decisions["action"][:, head] >= 0
            progress.append(episode.feature("progress")[asked])
            took.append(episode.decisions["effective"][asked, head].astype(float))
    part = np.clip((np.concatenate(progress) * parts).astype(int), 0, parts - 1)
    count = np.bincount(part, minlength=parts)
    total = np.bincount(part, np.concatenate(took), parts)
    share = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return (np.arange(parts) + 0.5) / parts, count, share


def theory_schedule(
    episodes: Sequence[Episode], ratio: Callable[[np.ndarray, np.ndarray], np.ndarray], bins: int
) -> np.ndarray:
    """Real ratio that a bound suggests, in `bins` parts of the run, mean over trials.

    ratio(n_real (D), model_error (D)) -> (D) is asked with the real samples and the validation
    loss of the model at each decision.
    """
    rows = []
    for episode in finished(episodes):
        if episode.n_decisions:
            suggested = ratio(episode.decisions["env_step"], episode.feature("model_loss"))
            rows.append(_binned(episode.feature("progress"), np.asarray(suggested, float), bins))
    if not rows:
        raise FormatError(f"{episodes[0].path}: no decisions to evaluate the theory at")
    return np.mean(rows, axis=0)


@dataclass(frozen=True)
class StageTable:
    """Progress of a controller, one row (S) a stage.

    scores[s]: of the hyper-episodes that finished. Mean, deviation and baseline are those that
    the controller recorded when it folded the stage (a diverged hyper-episode counts there), or
    else those of the finished ones.
    """

    stage: np.ndarray
    scores: list[np.ndarray]
    score_mean: np.ndarray
    score_std: np.ndarray
    baseline: np.ndarray
    diverged: np.ndarray
    entropy: np.ndarray
    explored: np.ndarray
    group: list[str]


def _mean_or_nan(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Mean of the finite values; NaN where there is none."""
    values = np.asarray(values, dtype=float)
    valid = np.isfinite(values)
    count = valid.sum(axis=axis)
    total = np.where(valid, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _baseline(episodes: Sequence[Episode]) -> float:
    columns = [e.epochs["baseline_return"] for e in episodes if "baseline_return" in e.epochs]
    return float(_mean_or_nan(np.concatenate(columns))) if columns else float("nan")


def _group_names(run: Run, stages: Sequence[int]) -> list[str]:
    """Group of heads that each stage trained: `group` of the version it starts from."""
    names = {p.version: str(p.attributes.get("group", "")) for p in run.policies}
    return [names.get(stage, "") for stage in stages]


def _recorded_stages(run: Run) -> dict[int, tuple[float, float, float]]:
    """(score, deviation, baseline) by stage, as the newest controller has them."""
    if not run.policies or "stage" not in run.policies[-1].stages:
        return {}
    table = run.policies[-1].stages
    columns = zip(table["score"], table["score_std"], table["baseline_score"])
    return dict(zip((int(stage) for stage in table["stage"]), columns))


def stage_table(run: Run) -> StageTable:
    """Stage returns, baseline, entropy of each head (S, H) and explored share of decisions."""
    stages = run.stages()
    rows = []
    for episodes in stages.values():
        usable = finished(episodes)
        entropy = [e.decisions["entropy"] for e in usable if e.n_decisions]
        explored = [e.decisions["explored"] for e in usable if e.n_decisions]
        rows.append(
            (
                np.array([e.score for e in usable]),
                _baseline(usable),
                len(episodes) - len(usable),
                _mean_or_nan(np.concatenate(entropy), 0)
                if entropy
                else np.full(len(HEADS), np.nan),
                float(np.concatenate(explored).mean()) if explored else float("nan"),
            )
        )
    scores = [row[0] for row in rows]
    summary = np.array(
        [(s.mean(), s.std(), row[1]) if len(s) else [np.nan] * 3 for s, row in zip(scores, rows)]
    )
    recorded = _recorded_stages(run)
    for i, stage in enumerate(stages):
        summary[i] = recorded.get(stage, summary[i])
    return StageTable(
        stage=np.array(list(stages)),
        scores=scores,
        score_mean=summary[:, 0],
        score_std=summary[:, 1],
        baseline=summary[:, 2],
        diverged=np.array([row[2] for row in rows]),
        entropy=np.array([row[3] for row in rows]),
        explored=np.array([row[4] for row in rows]),
        group=_group_names(run, list(stages)),
    )


def epoch_seconds(run: Run) -> dict[tuple[int, int], dict[str, float]]:
    """Seconds by part of each (hyper-episode, epoch), from metrics.jsonl.

    The file counts since a process took up the hyper-episode; a fall marks a new process.
    """
    result: dict[tuple[int, int], dict[str, float]] = {}
    last: dict[int, dict[str, float]] = {}
    for event in run.metrics():
        if event.get("event") != "epoch" or "seconds" not in event:
            continue
        now = {part: float(value or 0.0) for part, value in event["seconds"].items()}
        before = last.get(event["hyper_episode"], {})
        if any(now[part] < before.get(part, 0.0) for part in now):
            before = {}
        key = (event["hyper_episode"], event["epoch"])
        result[key] = {part: value - before.get(part, 0.0) for part, value in now.items()}
        last[event["hyper_episode"]] = now
    return result
