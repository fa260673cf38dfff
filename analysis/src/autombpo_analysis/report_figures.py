"""The figures of a report: one panel each, so that they can be read on a telephone as well.

Each is a `Figure`: the drawing with its numbers, and what a reader must know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from . import compare, plots
from . import curves as cv
from .io import HEADS, Episode
from .run import Run
from .style import GREY, MARKERS, PALETTE, RC, Drawing, method_colours, method_name

SIZE = (5.6, 3.6)  # inches: text is legible where this is 370 pixels wide
SEED_LINES = 60  # of a method, at most, so that a page stays small
PARTS = 20  # of a run, over which the share of effective decisions is taken


@dataclass(frozen=True)
class Figure:
    """A figure of the report: `name` is that of its file of numbers."""

    name: str
    title: str
    caption: str
    drawing: Drawing


def _panel(header: Sequence[str], height: float = SIZE[1]) -> tuple[Drawing, Axes]:
    canvas = Canvas(figsize=(SIZE[0], height), layout="constrained")
    return Drawing(canvas, header), canvas.subplots()


def _legend(ax: Axes) -> None:
    """Above the panel, each label once."""
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    if unique:
        ax.figure.legend(list(unique.values()), list(unique), loc="lower center",
                         bbox_to_anchor=(0.5, 1.0), ncol=min(2, len(unique)))  # fmt: skip


def _every(items: Sequence, most: int) -> Sequence:
    """At most so many of them, evenly chosen."""
    if len(items) <= most:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, most).astype(int)]


def _seed_lines(ax: Axes, panel: plots.ReturnsPanel, colours: dict[str, str]) -> list[tuple]:
    rows = []
    for method, episodes in panel.trials.items():
        for episode in _every(cv.finished(episodes), SEED_LINES):
            steps, values = episode.epochs["env_step"], episode.epochs["eval_return_mean"]
            ax.plot(steps, values, color=colours[method], lw=0.7, alpha=0.5, zorder=1.2)
            name = f"{method}, seed {episode.seed}, hyper-episode {episode.index}"
            rows += [(panel.env, name, 1, s, v, np.nan, np.nan) for s, v in zip(steps, values)]
    return rows


def returns(panel: plots.ReturnsPanel, colours: dict[str, str]) -> Figure:
    """Learning curves of a task, each trial thin behind the interquartile mean."""
    drawing, ax = _panel(plots.RETURNS_HEADER)
    band = plots.Band()
    drawing.rows += plots.draw_returns(ax, panel, band, colours)
    drawing.rows += _seed_lines(ax, panel, colours)
    if panel.trials:
        everything = [e for episodes in panel.trials.values() for e in episodes]
        rows = plots.draw_reference(ax, everything)
        drawing.rows += [(panel.env, "baseline", "", s, v, np.nan, np.nan) for s, v in rows]
    ax.set_ylabel("evaluation return")
    _legend(ax)
    few = min([len(cv.finished(e)) for e in panel.trials.values()], default=0)
    caption = f"Thin: each trial. Thick: {band.line_name}; band: {band.band_name} over trials"
    caption += band.note(few) + "."
    if max([len(cv.finished(e)) for e in panel.trials.values()], default=0) > SEED_LINES:
        caption += f" Of each method {SEED_LINES} trials are drawn."
    if panel.unfinished:
        caption += " Dotted: hyper-episodes that have not ended, as far as they are."
    return Figure(f"returns-{panel.env}", f"Learning curves, {panel.env}", caption, drawing)


def comparison(data: compare.Scores) -> Iterator[Figure]:
    """Aggregates, performance profile, and for two methods or more the chances of improvement."""
    colours = method_colours(data.raw)
    header = ("quantity", "method", "other_or_threshold", "value", "low", "high")
    first = compare.preferred(data)
    parts: list[tuple[str, str, Callable]] = [
        ("aggregates", "Final return, normalised",
         lambda ax: compare.draw_aggregates(ax, data, colours)),
        ("profile", "Performance profile", lambda ax: compare.draw_profiles(ax, data, colours)),
    ]  # fmt: skip
    if len(data.raw) > 1:
        parts.append(("improvement", "Probability of improvement",
                      lambda ax: compare.draw_improvement(ax, data, first, colours)))  # fmt: skip
    for name, title, draw in parts:
        bars = name == "improvement"
        drawing, ax = _panel(header, 1.6 + 0.32 * len(data.raw) if bars else SIZE[1])
        drawing.rows += draw(ax)
        ax.set_title("")
        if bars:
            ax.set_xlabel(f"probability that {method_name(first)} is better (ties count half)")
        else:
            _legend(ax)
        yield Figure(name, title, compare.caption(data).replace("\n", " "), drawing)


AXES = {
    "real_ratio": ("Real ratio β", "β"),
    "model_training": ("Model training", ""),
    "policy_updates": ("Policy updates G", "G, updates / real sample"),
    "rollout_length": ("Rollout length k", "k, model steps"),
}


def _progress_axis(ax: Axes) -> None:
    ax.set_xlabel("training progress")
    ax.set_xlim(0, 1)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    ax.set_ylim(0, ax.get_ylim()[1] * 1.04)


def schedules(env: str, groups: dict[str, list[Episode]]) -> Iterator[Figure]:
    """The schedule of each hyperparameter on a task, by method."""
    data = {m: cv.schedules(e) for m, e in groups.items() if cv.finished(e)}
    colours = method_colours(groups)
    relative = all(d.relative for d in data.values())
    unit = "trainings, relative to MBPO" if relative else "trainings / epoch"
    for name, (title, label) in AXES.items() if data else ():
        drawing, ax = _panel(("env", "method", "progress", "mean", "low", "high", "original"), 3.0)
        for i, (method, d) in enumerate(data.items()):
            text = f"{method_name(method)}, n = {len(d.values[name])}"
            lines = plots.draw_trials(ax, d.progress, d.values[name], colours[method], text)
            if i == 0:
                plots.draw_original(ax, d.progress, d.original[name], GREY)
            drawing.rows += [(env, method, *row)
                             for row in zip(d.progress, *lines, d.original[name])]  # fmt: skip
        ax.set_ylabel(label or unit)
        _progress_axis(ax)
        _legend(ax)
        caption = "Line: mean over trials; band: ± one standard deviation, within the trials."
        yield Figure(f"schedule-{env}-{name}", f"{title}, {env}", caption, drawing)


@dataclass(frozen=True)
class HeadUse:
    """What became of the decisions of a head: how many were asked, took effect, were explored."""

    env: str
    method: str
    head: str
    asked: int
    effective: int
    explored: int


def head_uses(groups: dict[tuple[str, str], list[Episode]]) -> list[HeadUse]:
    """One for each task, method and head that was ever asked."""
    found = []
    for (env, method), episodes in groups.items():
        tables = [e.decisions for e in episodes if e.n_decisions]
        for h, head in enumerate(HEADS):
            asked = [d["action"][:, h] >= 0 for d in tables]
            took = [a & d["effective"][:, h].astype(bool) for a, d in zip(asked, tables)]
            chance = [a & d["explored"].astype(bool) for a, d in zip(asked, tables)]
            counts = [int(sum(x.sum() for x in part)) for part in (asked, took, chance)]
            if counts[0]:
                found.append(HeadUse(env, method, head, *counts))
    return found


def effective(env: str, method: str, episodes: Sequence[Episode]) -> Figure | None:
    """Share of the decisions of each head that took effect, over the run; None: it has none."""
    drawing, ax = _panel(("env", "method", "head", "progress", "asked", "effective_share"), 3.0)
    for h, head in enumerate(HEADS):
        at, count, share = cv.effective_share(episodes, h, PARTS)
        if not count.any():
            continue
        ax.plot(at[count > 0], share[count > 0], color=PALETTE[h], marker=MARKERS[h], ms=3.5,
                lw=1.2, label=plots.HEAD_NAMES[head])  # fmt: skip
        drawing.rows += [(env, method, head, *row) for row in zip(at, count, share)]
    if not drawing.rows:
        return None
    _progress_axis(ax)
    ax.set_ylim(0, 1.05)
    ax.set_ylabel("share that took effect")
    _legend(ax)
    caption = (
        "Of the decisions that a head was asked for: a step beyond a bound has no effect; "
        "“keep” has."
    )
    title = f"Decisions that took effect, {method_name(method)}, {env}"
    return Figure(f"effective-{env}-{method}", title, caption, drawing)


def controller(runs: Sequence[Run]) -> Iterator[Figure]:
    """Training of the controllers: returns of the stages, entropy and step of the last update."""
    tables = [cv.stage_table(run) for run in runs]
    drawing, ax = _panel(("run", "stage", "score_mean", "score_std", "baseline", "diverged"))
    for i, (run, table) in enumerate(zip(runs, tables)):
        label = f"{method_name(run.method)}, {run.env}, seed {run.seed}"
        shift = 0.12 * (i - (len(runs) - 1) / 2) if len(runs) < 8 else 0.0
        plots.draw_stages(ax, table, PALETTE[i % len(PALETTE)], label, shift)
        columns = (table.stage, table.score_mean, table.score_std, table.baseline, table.diverged)
        drawing.rows += [(run.path.name, *row) for row in zip(*columns)]
    plots.draw_stage_baselines(ax, tables)
    _stage_axis(ax, "mean evaluation return")
    caption = "Dots: hyper-episodes; line: mean of the stage ± one standard deviation."
    yield Figure("controller-returns", "Return of the stages", caption, drawing)
    yield _entropies(runs, tables)
    steps = _update_steps(runs)
    if steps is not None:
        yield steps


def _stage_axis(ax: Axes, label: str) -> None:
    ax.set_ylabel(label)
    ax.set_xlabel("stage")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _legend(ax)


def _entropies(runs: Sequence[Run], tables: Sequence[cv.StageTable]) -> Figure:
    drawing, ax = _panel(("run", "stage", *(f"entropy_{head}" for head in HEADS), "explored"))
    for run, table in zip(runs, tables):
        for h, head in enumerate(HEADS):
            if np.isfinite(table.entropy[:, h]).any():
                ax.plot(table.stage, table.entropy[:, h], color=PALETTE[h], marker=MARKERS[h], ms=4,
                        lw=1.2, label=plots.HEAD_NAMES[head])  # fmt: skip
        drawing.rows += [(run.path.name, stage, *row, explored) for stage, row, explored in zip(
            table.stage, table.entropy, table.explored)]  # fmt: skip
    for size in (2, 3):
        ax.axhline(np.log(size), color=GREY, lw=1, ls=":")
    ax.set_ylim(0, 1.25)
    _stage_axis(ax, "entropy of the behaviour (nat)")
    caption = "Dotted: uniform over two and over three choices. A line falls as a head decides."
    return Figure("controller-entropy", "Entropy of the heads", caption, drawing)


def _update_steps(runs: Sequence[Run]) -> Figure | None:
    """How far each update moved the controller; None where no file says so."""
    drawing, ax = _panel(("run", "stage", "kl", "clip_fraction", "advantage_mean"))
    for i, run in enumerate(runs):
        table = run.policies[-1].stages if run.policies else {}
        if len(table.get("kl", ())):
            colour = PALETTE[i % len(PALETTE)]
            ax.plot(table["stage"], table["kl"], color=colour, marker="o", ms=4, lw=1.2,
                    label=f"{method_name(run.method)}, seed {run.seed}")  # fmt: skip
            columns = ("stage", "kl", "clip_fraction", "advantage_mean")
            drawing.rows += [(run.path.name, *row) for row in zip(*(table[c] for c in columns))]
    if not drawing.rows:
        return None
    _stage_axis(ax, "KL of the update (nat)")
    caption = "Mean of log-probability before minus after the update, over its decisions."
    return Figure("controller-kl", "Step of each update", caption, drawing)


def time_split(seconds: dict[str, dict[str, float]]) -> Figure | None:
    """Where the processor time went; seconds[label][part] of an epoch. None if nothing is known."""
    if not seconds:
        return None
    drawing, ax = _panel(("runs", "part", "seconds_per_epoch", "share"), 1.5 + 0.34 * len(seconds))
    for i, parts in enumerate(seconds.values()):
        left, total = 0.0, sum(parts.values())
        for part, colour in zip(plots.SECONDS, PALETTE):
            value = parts.get(part, 0.0)
            ax.barh(i, value, left=left, color=colour, height=0.62, label=plots.SECONDS[part])
            drawing.rows.append((list(seconds)[i], part, value, value / total if total else np.nan))
            left += value
    ax.set_yticks(range(len(seconds)), list(seconds))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("processor seconds / epoch")
    _legend(ax)
    caption = "Mean over epochs and hyper-episodes, from metrics.jsonl."
    return Figure("time", "Where the time goes", caption, drawing)


def drawn(make: Callable[[], list[Figure]]) -> list[Figure]:
    """Figures in the look of the package."""
    with matplotlib.rc_context(RC):
        return make()


