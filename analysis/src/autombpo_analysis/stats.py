"""Statistics over few trials: interquartile mean, bootstrap intervals, comparisons (numpy only).

Definitions follow Agarwal et al. (2021), "Deep reinforcement learning at the edge of the
statistical precipice". No function accepts NaN: a lost trial must be left out explicitly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
FEWEST = 5  # trials of a task below which resampling them tells nothing of others
_CHUNK = 4_000_000  # resampled numbers held at a time


def _finite(x: np.ndarray, name: str) -> np.ndarray:
    x = np.asarray(x, dtype=float)
    if x.size == 0:
        raise ValueError(f"{name}: no values")
    if not np.isfinite(x).all():
        raise ValueError(f"{name}: {np.count_nonzero(~np.isfinite(x))} values are not finite")
    return x


def iqm(x: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Interquartile mean: the mean without the lowest and highest floor(n / 4) values.

    With fewer than four values it is the mean.
    """
    x = np.asarray(x, dtype=float)
    if axis is None:
        x, axis = x.ravel(), 0
    n = x.shape[axis]
    cut = n // 4
    if cut == 0:
        return x.mean(axis=axis)
    ordered = np.sort(x, axis=axis)
    return np.take(ordered, np.arange(cut, n - cut), axis=axis).mean(axis=axis)


def mean(x: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Arithmetic mean."""
    return np.mean(x, axis=axis)


def median(x: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Median."""
    return np.median(x, axis=axis)


def lower_tail(x: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Mean of the lowest ceil(n / 4) values (conditional value at risk at a quarter)."""
    x = np.asarray(x, dtype=float)
    if axis is None:
        x, axis = x.ravel(), 0
    worst = -(-x.shape[axis] // 4)
    return np.take(np.sort(x, axis=axis), np.arange(worst), axis=axis).mean(axis=axis)


def optimality_gap(x: np.ndarray, axis: int | None = None, target: float = 1.0) -> np.ndarray:
    """Mean amount by which scores fall short of `target` (surplus does not count)."""
    return target - np.mean(np.minimum(x, target), axis=axis)


STATISTICS: dict[str, Callable[..., np.ndarray]] = {"iqm": iqm, "mean": mean, "median": median}


def bootstrap_interval(
    strata: np.ndarray | Sequence[np.ndarray],
    statistic: Callable[..., np.ndarray] = iqm,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Stratified bootstrap percentile interval of a statistic over trials.

    Parameters
    ----------
    strata
        An array (n, ...) of n trials, or a list of such arrays (n_s, ...), one a task; trials
        are redrawn with replacement within each stratum, so unequal counts are allowed.
    statistic
        f(x, axis) that reduces the axis of all trials.

    Returns
    -------
    low, high
        Bounds (...); NaN if a stratum has fewer than FEWEST trials.
    """
    if isinstance(strata, np.ndarray):
        strata = [strata]
    parts = [_finite(part, "bootstrap_interval") for part in strata]
    shape = parts[0].shape[1:]
    if min(len(part) for part in parts) < FEWEST:
        nothing = np.full(shape, np.nan)
        return nothing, nothing.copy()
    rng = np.random.default_rng(seed)
    size = sum(part.size for part in parts)
    chunk = max(1, _CHUNK // size)
    values = []
    for first in range(0, resamples, chunk):
        count = min(chunk, resamples - first)
        draws = [part[rng.integers(len(part), size=(count, len(part)))] for part in parts]
        values.append(statistic(np.concatenate(draws, axis=1), axis=1))
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(np.concatenate(values), [tail, 100.0 - tail], axis=0)
    return low, high


def _hierarchical_draws(
    sizes: Sequence[int], resamples: int, rng: np.random.Generator
) -> Iterable[np.ndarray]:
    """Rows of a pool of groups of these sizes: groups redrawn, then rows within each.

    One array (resamples, n) where all groups are as large, so that one call takes all of them.
    """
    sizes = np.asarray(sizes)
    starts = np.cumsum(sizes) - sizes
    groups = rng.integers(len(sizes), size=(resamples, len(sizes), 1))
    places = rng.random((resamples, len(sizes), sizes.max()))
    rows = starts[groups] + (places * sizes[groups]).astype(int)
    drawn = np.arange(sizes.max()) < sizes[groups]
    if drawn.all():
        return rows.reshape(resamples, -1)
    return (each[mask] for each, mask in zip(rows, drawn))


def hierarchical_interval(
    groups: Sequence[np.ndarray],
    statistic: Callable[..., np.ndarray] = iqm,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of a statistic over trials that come in groups.

    Trials of one trained controller share its luck, so that the controllers are redrawn with
    replacement, and then the trials of each. Where a group is one trial it is the plain bootstrap.

    Parameters
    ----------
    groups
        Arrays (n_g, ...), the trials of one group each.

    Returns
    -------
    low, high
        Bounds (...); NaN with fewer than FEWEST groups.
    """
    parts = [_finite(part, "hierarchical_interval") for part in groups]
    if len(parts) < FEWEST:
        nothing = np.full(parts[0].shape[1:], np.nan)
        return nothing, nothing.copy()
    pool = np.concatenate(parts)
    draws = _hierarchical_draws([len(p) for p in parts], resamples, np.random.default_rng(seed))
    if isinstance(draws, np.ndarray):
        values = statistic(pool[draws], axis=1)
    else:
        values = [statistic(pool[rows], axis=0) for rows in draws]
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(values, [tail, 100.0 - tail], axis=0)
    return low, high


Groups = Sequence[np.ndarray]


def hierarchical_improvement(
    x: Groups, y: Groups, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> tuple[float, float, float]:
    """Probability that a trial of x beats one of y, with the interval of hierarchical_interval.

    x, y: groups (n_g) of trials on one task. NaN bounds as of probability_of_improvement.
    """
    return mean_improvement([(x, y)], resamples, level, seed)


def mean_improvement(
    tasks: Sequence[tuple[Groups, Groups]],
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[float, float, float]:
    """hierarchical_improvement averaged over tasks, each of which counts the same.

    The interval redraws controllers and trials of each task, not the tasks: it is about these.
    """
    rng = np.random.default_rng(seed)
    estimates, shares = [], []
    for x, y in tasks:
        pools = [np.concatenate([_finite(g, "improvement") for g in z]) for z in (x, y)]
        estimates.append(float(_win_share(*pools)))
        draws = [_hierarchical_draws([len(g) for g in z], resamples, rng) for z in (x, y)]
        if all(isinstance(rows, np.ndarray) for rows in draws):
            shares.append(_win_share(pools[0][draws[0]], pools[1][draws[1]]))
        else:
            shares.append([_win_share(pools[0][a], pools[1][b]) for a, b in zip(*draws)])
    estimate = float(np.mean(estimates))
    if min(len(z) for task in tasks for z in task) < FEWEST:
        return estimate, np.nan, np.nan
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(np.mean(shares, axis=0), [tail, 100.0 - tail])
    return (estimate, np.nan, np.nan) if low == high else (estimate, float(low), float(high))


def _win_share(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of pairs with x > y, ties counting half.  x: (..., n), y: (..., m)"""
    difference = x[..., :, None] - y[..., None, :]
    return ((difference > 0) + 0.5 * (difference == 0)).mean(axis=(-2, -1))


def probability_of_improvement(
    x: np.ndarray | Sequence[np.ndarray],
    y: np.ndarray | Sequence[np.ndarray],
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[float, float, float]:
    """Probability that a trial of method x beats one of method y, averaged over tasks.

    Parameters
    ----------
    x, y
        Scores (n) of one task, or lists of such arrays over the same tasks.

    Returns
    -------
    estimate, low, high
        Estimate (ties count half) and its bootstrap percentile interval: NaN with fewer than
        FEWEST trials, and where every resample gives the same (all pairs were won, or lost).
    """
    xs = [x] if isinstance(x, np.ndarray) else list(x)
    ys = [y] if isinstance(y, np.ndarray) else list(y)
    if len(xs) != len(ys):
        raise ValueError(f"methods have {len(xs)} and {len(ys)} tasks")
    xs = [_finite(part, "probability_of_improvement") for part in xs]
    ys = [_finite(part, "probability_of_improvement") for part in ys]
    estimate = float(np.mean([_win_share(a, b) for a, b in zip(xs, ys)]))
    if min(len(part) for part in xs + ys) < FEWEST:
        return estimate, np.nan, np.nan
    rng = np.random.default_rng(seed)
    draws = []
    for a, b in zip(xs, ys):
        again_a = a[rng.integers(len(a), size=(resamples, len(a)))]
        again_b = b[rng.integers(len(b), size=(resamples, len(b)))]
        draws.append(_win_share(again_a, again_b))
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(np.mean(draws, axis=0), [tail, 100.0 - tail])
    if low == high:
        return estimate, np.nan, np.nan
    return estimate, float(low), float(high)


def performance_profile(
    scores: np.ndarray | Sequence[np.ndarray], thresholds: np.ndarray
) -> np.ndarray:
    """Share of trials with a score above each threshold, averaged over tasks.  -> (T)"""
    parts = [scores] if isinstance(scores, np.ndarray) else list(scores)
    parts = [_finite(part, "performance_profile") for part in parts]
    shares = [(part[:, None] > np.asarray(thresholds)[None, :]).mean(axis=0) for part in parts]
    return np.mean(shares, axis=0)


def area_under_curve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Mean height of the curves y (..., T) over x (T): trapezoidal area divided by the span."""
    x = np.asarray(x, dtype=float)
    y = np.asarray(y, dtype=float)
    if len(x) == 1:
        return y[..., 0]
    if not (np.diff(x) > 0).all():
        raise ValueError("area_under_curve: x must increase")
    middle = 0.5 * (y[..., 1:] + y[..., :-1])
    return (middle * np.diff(x)).sum(axis=-1) / (x[-1] - x[0])
