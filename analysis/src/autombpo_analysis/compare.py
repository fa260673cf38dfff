"""Comparison of methods: normalised scores, aggregates, tables."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import curves as cv
from . import stats
from .io import Episode
from .runs import Runs
from .style import GREY, RC, Drawing, method_colours, method_name

AGGREGATES = {
    "IQM": stats.iqm,
    "mean": stats.mean,
    "median": stats.median,
    "optimality gap": stats.optimality_gap,
}


@dataclass(frozen=True)
class Scores:
    """Final returns of several methods on several tasks.

    raw[method][i] and normalised[method][i]: (n) trials of the i-th task. A normalised score is
    (return - low) / (high - low) with the task's constants in `scale`.
    """

    tasks: list[str]
    raw: dict[str, list[np.ndarray]]
    normalised: dict[str, list[np.ndarray]]
    scale: dict[str, tuple[float, float]]
    scale_source: str
    counts: dict[str, str]  # trials and runs of each method
    until: dict[str, int]  # real samples at which the methods are compared, by task


def _initial(episodes: Sequence[Episode]) -> float:
    """Mean return of the untrained policy; 0 if no file has it."""
    values = [e.epoch_attributes.get("initial_eval_return", np.nan) for e in episodes]
    values = [v for v in values if np.isfinite(v)]
    return float(np.mean(values)) if values else 0.0


def _target(
    here: dict[str, list[Episode]], final: dict[str, np.ndarray], reference: str, until: float
) -> tuple[float, str]:
    """Return that counts as 1: the reference method's mean final return, else R' at that point."""
    if reference in final:
        return float(final[reference].mean()), f"final {method_name(reference)}"
    for episodes in here.values():
        for episode in cv.finished(episodes):
            baseline = episode.epochs.get("baseline_return", np.full(episode.n_epochs, np.nan))
            if np.isfinite(baseline).all():
                at_end = np.interp(until, episode.epochs["env_step"], baseline)
                return float(at_end), "final baseline R′"
    return float(max(values.max() for values in final.values())), "best trial"


def _tell_of_cut(env: str, lengths: dict[str, cv.Curves], until: int) -> None:
    """Warns of methods that are longer than the shortest, and so are cut."""
    longer = [m for m, c in lengths.items() if c.count_until(until) < len(c.steps)]
    if longer:
        shortest = min(lengths, key=lambda m: lengths[m].steps[-1])
        names = ", ".join(f"{method_name(m)} ({lengths[m].steps[-1]})" for m in longer)
        warnings.warn(
            f"{env}: compared at {until} real samples, where {method_name(shortest)} ends; "
            f"cut: {names}. Schedules that follow the progress of a run were made for its length",
            stacklevel=3,
        )


def scores(runs: Runs, stage: str = "auto", reference: str = "mbpo") -> Scores:
    """Final returns by method over the tasks that every method has.

    The methods are compared at the number of real samples that all of them reach.
    """
    groups = runs.groups(stage)
    methods = list(dict.fromkeys(method for _, method in groups))
    tasks = list(dict.fromkeys(env for env, _ in groups))
    tasks = [env for env in tasks if all(cv.finished(groups.get((env, m), [])) for m in methods)]
    if not tasks:
        raise ValueError(f"no task has a finished trial of each of: {', '.join(methods)}")
    raw: dict[str, list[np.ndarray]] = {m: [] for m in methods}
    normalised: dict[str, list[np.ndarray]] = {m: [] for m in methods}
    scale, sources, ends = {}, [], {}
    for env in tasks:
        here = {m: groups[(env, m)] for m in methods}
        everything = [e for episodes in here.values() for e in episodes]
        cv.check_horizons(everything)
        low = _initial(everything)
        lengths = {m: cv.learning_curves(here[m]) for m in methods}
        ends[env] = until = int(min(curves.steps[-1] for curves in lengths.values()))
        _tell_of_cut(env, lengths, until)
        final = {m: cv.final_returns(here[m], until) for m in methods}
        high, source = _target(here, final, reference, until)
        if high <= low:
            raise ValueError(
                f"{env}: cannot normalise: {source} return {high:g} is not above that of the "
                f"untrained policy, {low:g}"
            )
        scale[env] = (low, high)
        sources.append(source)
        for m in methods:
            raw[m].append(final[m])
            normalised[m].append((final[m] - low) / (high - low))
    counts = {m: cv.trial_counts([e for t in tasks for e in cv.finished(groups[(t, m)])])
              for m in methods}  # fmt: skip
    source = "; ".join(dict.fromkeys(sources))
    return Scores(tasks, raw, normalised, scale, source, counts, ends)


def draw_aggregates(ax: Axes, data: Scores, colours: dict[str, str]) -> list[tuple]:
    rows = []
    methods = list(data.normalised)
    step = 0.7 / max(1, len(methods))
    for a, (name, statistic) in enumerate(AGGREGATES.items()):
        for m, method in enumerate(methods):
            parts = data.normalised[method]
            value = float(statistic(np.concatenate(parts), axis=0))
            low, high = stats.bootstrap_interval(parts, statistic)
            y = a + (m - (len(methods) - 1) / 2) * step
            ax.plot([low, high], [y, y], color=colours[method], lw=6, alpha=0.35,
                    solid_capstyle="butt")  # fmt: skip
            ax.plot(value, y, "|", color=colours[method], ms=11, mew=2.2,
                    label=_label(data, method) if a == 0 else None)  # fmt: skip
            rows.append((name, method, "", value, float(low), float(high)))
    names = [name + ("\n(less is better)" if "gap" in name else "") for name in AGGREGATES]
    ax.set_yticks(range(len(AGGREGATES)), names)
    ax.set_ylim(len(AGGREGATES) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.set_title("Normalised final return")
    ax.set_xlabel("score (0: untrained policy, 1: reference)")
    return rows


def _label(data: Scores, method: str) -> str:
    return f"{method_name(method)}, {data.counts[method]}"


def caption(data: Scores) -> str:
    """What is shown, what a trial is, and where there is no interval."""
    tasks = ", ".join(f"{env} at {data.until[env]} real samples" for env in data.tasks)
    none = ["where all pairs were won or lost"]
    if any(len(part) < stats.FEWEST for parts in data.raw.values() for part in parts):
        none.insert(0, f"with fewer than {stats.FEWEST} trials of a task")
    bars = f"Bars: 95% stratified bootstrap interval over trials; none {', or '.join(none)}"
    return (
        f"{tasks}. Score 1 = {data.scale_source}. {bars}.\n"
        "Trial: a hyper-episode that finished; of a run that trains a controller those of its last "
        "stage, which share the controller."
    )


def draw_profiles(ax: Axes, data: Scores, colours: dict[str, str]) -> list[tuple]:
    rows = []
    everything = np.concatenate([part for parts in data.normalised.values() for part in parts])
    thresholds = np.linspace(min(0.0, everything.min()), everything.max() * 1.05, 201)
    for method, parts in data.normalised.items():
        shares = stats.performance_profile(parts, thresholds)
        ax.step(thresholds, shares, where="post", color=colours[method])
        rows += [("profile", method, t, s, np.nan, np.nan) for t, s in zip(thresholds, shares)]
    ax.set_xlim(thresholds[0], thresholds[-1])
    ax.set_ylim(0, 1.03)
    ax.set_title("Performance profile")
    ax.set_xlabel("score τ")
    ax.set_ylabel("share of trials with score > τ")
    return rows


def draw_improvement(ax: Axes, data: Scores, first: str, colours: dict[str, str]) -> list[tuple]:
    rows = []
    others = [m for m in data.normalised if m != first]
    for y, other in enumerate(others):
        value, low, high = stats.probability_of_improvement(
            data.normalised[first], data.normalised[other]
        )
        ax.plot([low, high], [y, y], color=colours[other], lw=8, alpha=0.35,
                solid_capstyle="butt")  # fmt: skip
        ax.plot(value, y, "|", color=colours[other], ms=14, mew=2.2)
        rows.append((f"P({first} > {other})", first, other, value, low, high))
    ax.axvline(0.5, color=GREY, lw=1, ls=":")
    ax.set_yticks(range(len(others)), [method_name(m) for m in others])
    ax.set_ylim(len(others) - 0.5, -0.5)
    ax.set_xlim(-0.02, 1.02)
    ax.grid(axis="y", visible=False)
    ax.set_title(f"Probability that {method_name(first)} is better than")
    ax.set_xlabel("probability (ties count half)")
    return rows


def preferred(data: Scores) -> str:
    """The method that the others are compared with, if nobody says so."""
    return next((m for m in data.raw if m.startswith("autombpo")), next(iter(data.raw)))


def compare(
    runs: Runs, stage: str = "auto", reference: str = "mbpo", first: str | None = None
) -> Drawing:
    """Aggregate scores, performance profiles and probability of improvement, with intervals."""
    data = scores(runs, stage, reference)
    if len(data.raw) < 2:
        raise ValueError(f"compare needs runs of two methods or more; found {list(data.raw)}")
    if first is not None and first not in data.raw:
        raise ValueError(f"no runs of method {first!r}; found {', '.join(data.raw)}")
    first = first or preferred(data)
    colours = method_colours(data.raw)
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(12.6, 3.7), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        header = ("quantity", "method", "other_or_threshold", "value", "low", "high")
        drawing = Drawing(figure, header)
        drawing.rows += draw_aggregates(left, data, colours)
        drawing.rows += draw_improvement(right, data, first, colours)
        drawing.rows += draw_profiles(middle, data, colours)
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1.0),
                      ncol=min(6, len(labels)))  # fmt: skip
        figure.supxlabel(caption(data), fontsize=8, color=GREY)
    for env, (low, high) in data.scale.items():
        drawing.rows.append((f"normalisation {env}", "", "", np.nan, low, high))
    return drawing


TABLE_HEADER = (
    "env", "method", "trials", "diverged", "env_steps", "final_iqm", "final_low", "final_high",
    "final_mean", "final_std", "area_mean",
)  # fmt: skip


def table(runs: Runs, stage: str = "auto") -> list[tuple[Any, ...]]:
    """Final return of each method on each task: rows for TABLE_HEADER.

    The interval is the 95% bootstrap interval of the interquartile mean; the area is the mean
    height of the learning curve.
    """
    rows = []
    for (env, method), episodes in runs.groups(stage).items():
        usable = cv.finished(episodes)
        if not usable:
            rows.append((env, method, 0, len(episodes), 0, *[float("nan")] * 6))
            continue
        final = cv.final_returns(usable)
        data = cv.learning_curves(usable)
        low, high = stats.bootstrap_interval(final)
        area = stats.area_under_curve(data.steps, data.values).mean()
        rows.append(
            (
                env,
                method,
                len(usable),
                len(episodes) - len(usable),
                int(data.steps[-1]),
                float(stats.iqm(final)),
                float(low),
                float(high),
                float(final.mean()),
                float(final.std()),
                float(area),
            )
        )
    return rows


def format_table(rows: Sequence[tuple[Any, ...]]) -> str:
    """The table as aligned text for a terminal."""
    header = ("env", "method", "trials", "real samples", "final IQM", "95% interval", "mean ± std",
              "area")  # fmt: skip
    lines = [header]
    for env, method, n, diverged, steps, middle, low, high, mean, std, area in rows:
        trials = f"{n}" + (f" (+{diverged} diverged)" if diverged else "")
        interval = f"[{low:.1f}, {high:.1f}]" if np.isfinite(low) else "-"
        lines.append(
            (env, method_name(method), trials, f"{steps}", f"{middle:.1f}", interval,
             f"{mean:.1f} ± {std:.1f}", f"{area:.1f}")
        )  # fmt: skip
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    left = (0, 1)
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in lines
    )
