"""The figures of an experiment: many controllers, each of many runs, on one or several tasks.

What a line of figures 2 and 4 is, and its band, are those of plots.py; here is which runs are in a
figure, and the training of several controllers (figure D.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from . import curves as cv
from . import plots, stats
from .experiment import Experiment
from .io import HEADS, FormatError
from .run import Run
from .runs import Runs
from .style import GREY, MARKERS, PALETTE, RC, Drawing, method_colours, method_name

TRAINING_HEADER = ("env", "method", "controllers", "stage", "quantity", "mean", "low", "high")


def _ended(run: Run) -> bool:
    """Whether anything of a run came to its end: what did not is counted, and is no curve."""
    try:
        return bool(cv.finished(run.trials("all"))) or bool(run.unfinished)
    except FormatError:  # of a population no member did
        return False


def select(runs: Runs, tasks: Sequence[str] = (), methods: Sequence[str] = ()) -> Runs:
    """Runs of these tasks and methods that can be drawn; nothing named: all."""
    found = Runs(run for run in runs if (not tasks or run.env in tasks)
                 and (not methods or run.method in methods) and _ended(run))  # fmt: skip
    if not found:
        known = sorted({f"{run.env} {run.method}" for run in runs})
        raise FormatError(f"no finished run of these tasks and methods; there are {known}")
    return found


def schedules_themselves(runs: Runs) -> Runs:
    """Runs in which somebody decided: figure 3 has MBPO's own schedule as a dashed line."""
    return Runs(run for run in runs if any((e.decisions.get("action", np.empty(0)) >= 0).any()
                                           for e in run.episodes))  # fmt: skip


def _over_controllers(rows: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over controllers and its interval, stage by stage as far as all have come."""
    shortest = min(len(row) for row in rows)
    values = np.array([row[:shortest] for row in rows])
    known = np.isfinite(values).all()
    if not known:
        return values.mean(axis=0), *np.full((2, shortest), np.nan)
    return values.mean(axis=0), *stats.bootstrap_interval(values, stats.mean)


def _draw_scores(ax: Axes, tables: Sequence[cv.StageTable], colour: str, label: str) -> Iterator:
    for table in tables:
        ax.plot(table.stage, table.score_mean, color=colour, lw=0.7, alpha=0.35)
    middle, low, high = _over_controllers([table.score_mean for table in tables])
    stage = tables[0].stage[: len(middle)]
    ax.plot(stage, middle, color=colour, marker="o", ms=4, label=label)
    ax.fill_between(stage, low, high, color=colour, alpha=0.18, lw=0)
    yield from (("score", *row) for row in zip(stage, middle, low, high))


def _draw_entropies(ax: Axes, tables: Sequence[cv.StageTable]) -> Iterator:
    for h, head in enumerate(HEADS):
        rows = [table.entropy[:, h] for table in tables]
        if not all(np.isfinite(row).all() for row in rows):
            continue
        middle, low, high = _over_controllers(rows)
        stage = tables[0].stage[: len(middle)]
        ax.plot(stage, middle, color=PALETTE[h], marker=MARKERS[h], ms=4,
                label=plots.HEAD_NAMES[head])  # fmt: skip
        ax.fill_between(stage, low, high, color=PALETTE[h], alpha=0.15, lw=0)
        yield from ((f"entropy_{head}", *row) for row in zip(stage, middle, low, high))


def _by_method(runs: Sequence[Run]) -> dict[str, dict[str, list[cv.StageTable]]]:
    found: dict[str, dict[str, list[cv.StageTable]]] = {}
    for run in runs:
        if run.trains_controller:
            tables = found.setdefault(run.env, {}).setdefault(run.method, [])
            tables.append(cv.stage_table(run))
    return found


def training(runs: Sequence[Run]) -> Drawing:
    """Stage returns of all controllers against R', and the entropies of their heads (figure D.3).

    A row of panels for each task, an entropy panel for each method.
    """
    tasks = _by_method(runs)
    if not tasks:
        raise FormatError("no run that trains a controller by stages is finished")
    columns = 1 + max(len(methods) for methods in tasks.values())
    colours = method_colours(method for methods in tasks.values() for method in methods)
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(1.0 + 4.4 * columns, 3.5 * len(tasks)), layout="constrained")
        grid = figure.subplots(len(tasks), columns, squeeze=False)
        drawing = Drawing(figure, TRAINING_HEADER)
        for axes, (env, methods) in zip(grid, tasks.items()):
            plots.draw_stage_baselines(axes[0], [t for each in methods.values() for t in each])
            for ax, (method, tables) in zip(axes[1:], methods.items()):
                name = f"{method_name(method)}, {len(tables)} controllers"
                rows = [*_draw_scores(axes[0], tables, colours[method], name),
                        *_draw_entropies(ax, tables)]  # fmt: skip
                for quantity, stage, *values in rows:
                    drawing.rows.append((env, method, len(tables), stage, quantity, *values))
                ax.set_title(f"Entropy of the heads, {method_name(method)}")
                ax.set_ylabel("nat")
                ax.set_ylim(0, 1.25)
            for ax in axes[1 + len(methods) :]:
                ax.set_visible(False)
            axes[0].set_title(f"Return of the stages, {env}")
            axes[0].set_ylabel("mean evaluation return")
            for ax in axes:
                ax.set_xlabel("stage")
                ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
                if ax.get_legend_handles_labels()[1]:
                    ax.legend(fontsize=8)
        few = f"; none with fewer than {stats.FEWEST} controllers"
        text = f"Thin: each controller; thick: mean; band: 95% bootstrap interval{few}."
        figure.supxlabel(text, fontsize=8, color=GREY)
    return drawing


def draw_all(experiment: Experiment, output: Path) -> Iterator[Path]:
    """Writes all figures that an experiment's finished runs give; yields their paths."""
    name = experiment.name
    tests = select(experiment.load())
    yield from plots.returns(tests, stage="all").save(output / f"{name}-returns.png")
    for task in dict.fromkeys(run.env for run in tests):
        runs = schedules_themselves(select(tests, [task]))
        if runs:
            drawing = plots.schedule(runs, stage="all", effective=True)
            yield from drawing.save(output / f"{name}-schedule-{task}.png")
    if any(run.trains_controller for run in _trained(experiment)):
        yield from training(_trained(experiment)).save(output / f"{name}-training.png")


def _trained(experiment: Experiment) -> Runs:
    return experiment.load("train") if experiment.finished("train") else Runs()
