"""Figures. Each function returns a Drawing: the figure and the numbers in it.

No pyplot and no display: figures are drawn off screen and written by Drawing.save.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from . import curves as cv
from . import stats
from .effects import HEADER as EFFECT_HEADER
from .effects import effects as effects_of
from .io import HEAD_SIZES, HEADS, Episode
from .population import is_round
from .runs import Runs
from .style import (
    GREY,
    MARKERS,
    PALETTE,
    RC,
    Drawing,
    method_colours,
    method_name,
)

HEAD_NAMES = {
    "train_model": "train the model",
    "real_ratio": "real ratio",
    "policy_updates": "policy updates",
    "rollout_length": "rollout length",
}

REFERENCES = ("baseline R′", "original MBPO", "Theorem 4.1")  # last in a legend


def _panels(count: int, columns: int = 3) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels; fewer panels are larger."""
    columns = min(count, columns)
    width, height = {1: (5.8, 3.7), 2: (4.6, 3.4)}.get(columns, (3.9, 3.2))
    rows = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    return figure, axes


def _legend(figure: Figure, axes: Sequence[Axes], columns: int = 5) -> None:
    """One legend above the panels, each label once."""
    entries: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels()):
            entries.setdefault(label, handle)
    for label in [label for label in entries if label.startswith(REFERENCES)]:
        entries[label] = entries.pop(label)
    if entries:
        figure.legend(
            list(entries.values()),
            list(entries),
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncol=min(columns, len(entries)),
        )


def _thousands(ax: Axes, largest: float) -> None:
    """Real samples on the x axis, in thousands if there are many."""
    if largest >= 10_000:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x / 1000:g}k" if x else "0"))
    ax.set_xlabel("real samples")


def _ends(ax: Axes, smallest: float, largest: float) -> None:
    """From zero, unless the exploration before the first evaluation would fill the panel."""
    start = 0.0 if smallest <= 0.3 * largest else smallest - 0.04 * (largest - smallest)
    ax.set_xlim(start, largest + 0.02 * (largest - start))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))


class Band:
    """How a set of trials becomes a line and a band."""

    def __init__(self, kind: str = "iqm", resamples: int = stats.RESAMPLES, seed: int = 0):
        if kind not in ("iqm", "mean", "median", "std"):
            raise ValueError(f"band {kind!r}: expected iqm, mean, median or std")
        self.kind = kind
        self.resamples = resamples
        self.seed = seed

    @property
    def line_name(self) -> str:
        """What the line is."""
        return {"iqm": "interquartile mean", "std": "mean"}.get(self.kind, self.kind)

    @property
    def band_name(self) -> str:
        """What the band is."""
        if self.kind == "std":
            return "± one standard deviation"
        return "95% bootstrap interval"

    def note(self, trials: int, unit: str = "trials") -> str:
        """Where there is no band, given the fewest trials (or what else they are) of a line."""
        none = self.kind != "std" and trials < stats.FEWEST
        return f"; none with fewer than {stats.FEWEST} {unit}" if none else ""

    def __call__(self, groups: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(line, low, high), each (T), of groups of values (n_g, T) (Curves.groups)."""
        values = np.concatenate(groups)
        if self.kind == "std":
            line, spread = values.mean(axis=0), values.std(axis=0)
            return line, line - spread, line + spread
        statistic: Callable[..., np.ndarray] = stats.STATISTICS[self.kind]
        options = {"resamples": self.resamples, "seed": self.seed}
        if len(groups) == len(values):
            low, high = stats.bootstrap_interval(values, statistic, **options)
        else:
            low, high = stats.hierarchical_interval(groups, statistic, **options)
        return statistic(values, axis=0), low, high


def _trial_label(method: str, curves: cv.Curves) -> str:
    groups = len(curves.groups())
    label = f"{method_name(method)}, n = {len(curves.values)}"
    label += f" of {groups}" if groups < len(curves.values) else ""
    return label + (f" ({curves.diverged} diverged, left out)" if curves.diverged else "")


def draw_reference(ax: Axes, episodes: Sequence[Episode]) -> list[tuple]:
    """Dashed line of R'; returns its rows (step, value)."""
    longest = max(cv.finished(episodes), key=lambda e: e.n_epochs)
    values = longest.epochs.get("baseline_return")
    if values is None or not np.isfinite(values).any():
        return []
    steps = longest.epochs["env_step"]
    ax.plot(steps, values, "--", color=GREY, lw=1.3, zorder=1.5, label="baseline R′")
    return list(zip(steps, values))


@dataclass(frozen=True)
class ReturnsPanel:
    """What a panel of learning curves shows of one task, by method."""

    env: str
    trials: dict[str, list[Episode]]
    unfinished: dict[str, list[Episode]]

    def everything(self) -> list[Episode]:
        """All its hyper-episodes."""
        return [e for part in (self.trials, self.unfinished) for es in part.values() for e in es]


def returns_panels(runs: Runs, stage: str = "auto") -> list[ReturnsPanel]:
    """A panel for each task, with the hyper-episodes that are not sealed yet, if they were loaded."""
    groups = runs.groups(stage)
    open_ones: dict[tuple[str, str], list[Episode]] = {}
    for run in runs:
        for episode in run.unfinished:
            open_ones.setdefault((episode.env, episode.method), []).append(episode)
    panels = {env: ReturnsPanel(env, {}, {}) for env, _ in [*groups, *open_ones]}
    for (env, method), episodes in groups.items():
        panels[env].trials[method] = episodes
    for (env, method), episodes in open_ones.items():
        panels[env].unfinished[method] = episodes
    return list(panels.values())


def _unfinished_lines(ax: Axes, panel: ReturnsPanel, colours: dict[str, str]) -> list[tuple]:
    """A thin line for each hyper-episode that has not ended; returns their rows."""
    rows = []
    for method, episodes in panel.unfinished.items():
        for i, episode in enumerate(episodes):
            steps, values = episode.epochs["env_step"], episode.epochs["eval_return_mean"]
            label = f"{method_name(method)}, {len(episodes)} not ended" if i == 0 else None
            ax.plot(steps, values, ":", color=colours[method], lw=1.2, marker=".", ms=3, label=label)
            name = f"{method} (hyper-episode {episode.index}, not ended)"
            rows += [(panel.env, name, 1, s, v, np.nan, np.nan) for s, v in zip(steps, values)]
    return rows


def _end_of_runs(panel: ReturnsPanel) -> float:
    """Real samples where the single runs end: a population goes on to many times as many."""
    ends = [e.epochs["env_step"][-1] for e in panel.everything() if not is_round(e) and e.n_epochs]
    return max(ends, default=np.inf)


def draw_returns(
    ax: Axes, panel: ReturnsPanel, band: Band, colours: dict[str, str], counts: bool = True
) -> list[tuple]:
    """The lines and bands of a panel; returns their rows (RETURNS_HEADER)."""
    cv.check_horizons(panel.everything())
    rows = []
    for method, episodes in panel.trials.items():
        data = cv.learning_curves(episodes)
        line, low, high = band(data.groups())
        ax.plot(
            data.steps, line, color=colours[method], marker="o" if len(data.steps) < 12 else None,
            ms=4, label=_trial_label(method, data) if counts else method_name(method),
        )  # fmt: skip
        ax.fill_between(data.steps, low, high, color=colours[method], alpha=0.18, lw=0)
        n = len(data.values)
        rows += [(panel.env, method, n, *row) for row in zip(data.steps, line, low, high)]
    rows += _unfinished_lines(ax, panel, colours)
    end = min(max(row[3] for row in rows), _end_of_runs(panel))
    _thousands(ax, end)
    _ends(ax, min(row[3] for row in rows), end)
    return rows


RETURNS_HEADER = ("env", "method", "trials", "env_step", "return", "low", "high")


def _fewest_groups(panels: Sequence[ReturnsPanel]) -> tuple[int, bool]:
    """The fewest trials, or controllers, of a line; and whether any trials share a controller."""
    counts, shared = [stats.FEWEST], False
    for panel in panels:
        for episodes in panel.trials.values():
            usable = cv.finished(episodes)
            owners = [e.attributes.get("controller", ("alone", i)) for i, e in enumerate(usable)]
            counts.append(len(set(owners)))
            shared |= counts[-1] < len(usable)
    return min(counts), shared


def _draw_published(ax: Axes, panel: ReturnsPanel, published: Sequence[dict[str, str]],
                    colours: dict[str, str]) -> list[tuple]:  # fmt: skip
    """Values that others published of the task, as points up to the end of the axis."""
    names = {panel.env, *(e.attributes.get("env_id") for e in panel.everything())}
    here = [row for row in published if row["env"] in names]
    rows = []
    for method in dict.fromkeys(row["method"] for row in here):
        points = [(float(row["env_step"]), float(row["return"])) for row in here
                  if row["method"] == method]  # fmt: skip
        points = [point for point in points if point[0] <= ax.get_xlim()[1]]
        if points:
            ax.plot(*zip(*points), "D", ms=4, mfc="white", color=colours.get(method, GREY),
                    label=f"{method_name(method)}, published")  # fmt: skip
            rows += [(panel.env, f"{method} (published)", "", *p, np.nan, np.nan) for p in points]
    return rows


def returns(
    runs: Runs,
    band: Band | None = None,
    stage: str = "auto",
    reference: bool = True,
    published: Sequence[dict[str, str]] = (),
) -> Drawing:
    """Learning curves: a panel for each task, a line with a band for each method (Figure 2).

    published: rows of env (id of the task), method, env_step and return, drawn as points.
    """
    band = band or Band()
    panels = returns_panels(runs, stage)
    colours = method_colours(e.method for panel in panels for e in panel.everything())
    with matplotlib.rc_context(RC):
        figure, axes = _panels(len(panels))
        drawing = Drawing(figure, RETURNS_HEADER)
        for ax, panel in zip(axes, panels):
            drawing.rows += draw_returns(ax, panel, band, colours, len(panels) == 1)
            if reference and panel.trials:
                rows = draw_reference(ax, [e for group in panel.trials.values() for e in group])
                drawing.rows += [(panel.env, "baseline", "", s, v, *[np.nan] * 2) for s, v in rows]
            drawing.rows += _draw_published(ax, panel, published, colours)
            ax.set_title(panel.env)
        for ax in axes[::3]:
            ax.set_ylabel("evaluation return")
        _legend(figure, axes)
        fewest, shared = _fewest_groups(panels)
        over = "controllers and their trials" if shared else "trials"
        note = band.note(fewest, "controllers (or trials, without one)" if shared else "trials")
        text = f"Line: {band.line_name}; band: {band.band_name} over {over}{note}."
        if any(is_round(e) for panel in panels for e in panel.everything()):
            text += " Populations: best member over the samples of all, which go on."
        _caption(figure, text)
    return drawing


def _caption(figure: Figure, text: str) -> None:
    figure.supxlabel(text, fontsize=8, color=GREY)


SCHEDULE_HEADS = dict(zip(cv.SCHEDULE, ("real_ratio", "train_model", "policy_updates",
                                        "rollout_length")))  # fmt: skip


def _draw_effective(ax: Axes, name: str, episodes: Sequence[Episode], colour: str, bins: int):
    """Share of the decisions about a hyperparameter that had an effect; returns its rows."""
    head = SCHEDULE_HEADS[name]
    at, count, share = cv.effective_share(cv.finished(episodes), HEADS.index(head), bins)
    known = count > 0
    ax.plot(at[known], share[known], color=colour, lw=1.2)
    return [(x, f"effective_{name}", y, *[np.nan] * 3) for x, y in zip(at[known], share[known])]


def _effective_axes(axes: Sequence[Axes]) -> None:
    for ax in axes:
        ax.set_ylim(0, 1.05)
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
        ax.set_xlabel("training progress")
    axes[0].set_ylabel("decisions with an effect")


def _schedule_axes(axes: Sequence[Axes], relative: bool, theory: bool) -> None:
    """Four panels. Beside the theory the real ratio is larger, and logarithmic: the theory's spans
    orders of magnitude."""
    if theory:
        axes[0].set_yscale("log")
        axes[0].yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    titles = ("Real ratio", "Model training frequency", "Policy updates", "Rollout length")
    frequency = "trainings, relative to MBPO" if relative else "trainings / epoch"
    labels = ("β", frequency, "G, updates / real sample", "k, model steps")
    for ax, title, label in zip(axes, titles, labels):
        ax.set_title(title)
        ax.set_ylabel(label)
        ax.set_xlabel("training progress")
        ax.set_xlim(0, 1)
        ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "¼", "½", "¾", "1"])
    for ax in axes[2:]:
        ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))


def draw_trials(ax: Axes, progress: np.ndarray, values: np.ndarray, colour: str, label: str):
    """Mean over trials and one standard deviation, the band kept within the trials' range."""
    middle, spread = values.mean(axis=0), values.std(axis=0)
    low = np.maximum(middle - spread, values.min(axis=0))
    high = np.minimum(middle + spread, values.max(axis=0))
    if len(values) > 1:
        ax.fill_between(progress, low, high, color=colour, alpha=0.18, lw=0)
    ax.plot(progress, middle, color=colour, label=label)
    return middle, low, high


def draw_original(ax: Axes, progress: np.ndarray, values: np.ndarray, colour: str) -> None:
    if np.isfinite(values).any():
        # Drawn to both ends of the axis: the parts' centres stop short of them.
        x = np.concatenate([[0.0], progress, [1.0]])
        y = np.concatenate([values[:1], values, values[-1:]])
        ax.plot(x, y, "--", color=colour, lw=1.3, label="original MBPO", zorder=1.5)


def _schedule_limits(axes: Sequence[Axes]) -> None:
    """From zero, with a little room above; a ratio never above one."""
    for ax in axes:
        if ax.get_yscale() == "log":
            ax.set_ylim(top=1.5)  # room above a ratio of one
        else:
            ax.set_ylim(0, ax.get_ylim()[1] * 1.04)
    if axes[0].get_yscale() != "log":
        low, high = axes[0].get_ylim()
        axes[0].set_ylim(low, min(1.02, high))


def _schedule_colours(groups: list[tuple[str, str]], by_task: bool) -> dict[tuple, str]:
    """A colour for each line: by task if there are several, else by method."""
    if by_task:
        return {key: PALETTE[i % len(PALETTE)] for i, key in enumerate(groups)}
    return dict(zip(groups, method_colours(method for _, method in groups).values()))


def _schedule_label(
    env: str, method: str, groups: list[tuple[str, str]], data: cv.Schedules
) -> str:
    """What distinguishes a line: the task, the method, or both; and the number of trials."""
    parts = []
    if len({task for task, _ in groups}) > 1:
        parts.append(env)
    if len({name for _, name in groups}) > 1 or not parts:
        parts.append(method_name(method))
    return f"{', '.join(parts)}, n = {len(data.values['real_ratio'])}"


def _theory_rows(
    theory: Callable, ax: Axes, key: tuple[str, str], episodes: Sequence[Episode], colour: str
) -> list[tuple]:
    """Lets the theory draw; returns the rows of the lines that it added, without their gaps."""
    env, method = key
    before = len(ax.lines)
    theory(ax, episodes, colour)
    added = [point for line in ax.lines[before:] for point in line.get_xydata()]
    added = [point for point in added if np.isfinite(point).all()]
    missing = (np.nan, np.nan, np.nan)
    return [(env, method, "", x, "theory_real_ratio", y, *missing) for x, y in added]


def schedule(
    runs: Runs,
    bins: int = 40,
    stage: str = "auto",
    theory: Callable[[Axes, Sequence[Episode], str], None] | None = None,
    effective: bool = False,
) -> Drawing:
    """Hyperparameters over scaled training progress (Figure 3): four panels.

    `effective` adds a row of panels: the share of the decisions that had an effect.

    `theory(ax, trials, colour)` may draw lines into the panel of the real ratio (theory.schedule_line).
    """
    groups = runs.groups(stage)
    data = {key: cv.schedules(episodes, bins) for key, episodes in groups.items()}
    by_task = len({env for env, _ in groups}) > 1
    colours = _schedule_colours(list(groups), by_task)
    header = ("env", "method", "trials", "progress", "name", "mean", "low", "high", "original")
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(13.2, 5.3 if effective else 3.35), layout="constrained")
        wide = [1.7 if theory is not None else 1, 1, 1, 1]
        grid = figure.subplots(1 + effective, 4, squeeze=False, width_ratios=wide,
                               height_ratios=[2, 1][: 1 + effective])  # fmt: skip
        axes = list(grid[0])
        _schedule_axes(axes, all(d.relative for d in data.values()), theory is not None)
        drawing = Drawing(figure, header)
        seen: set[str] = set()
        for (env, method), result in data.items():
            label = _schedule_label(env, method, list(groups), result)
            colour = colours[(env, method)]
            for ax, name in zip(axes, cv.SCHEDULE):
                lines = draw_trials(ax, result.progress, result.values[name], colour, label)
                own = by_task and name == "rollout_length"  # the tasks differ in this one
                if not seen or (own and env not in seen):
                    tint = colour if own else GREY
                    draw_original(ax, result.progress, result.original[name], tint)
                drawing.rows += [
                    (env, method, len(result.values[name]), x, name, *row)
                    for x, *row in zip(result.progress, *lines, result.original[name])
                ]
            seen.add(env)
            for ax, name in zip(grid[1] if effective else (), cv.SCHEDULE):
                rows = _draw_effective(ax, name, groups[env, method], colour, min(bins, 20))
                drawing.rows += [(env, method, "", *row) for row in rows]
            if theory is not None:
                drawing.rows += _theory_rows(
                    theory, axes[0], (env, method), groups[env, method], colour
                )
        _schedule_limits(axes)
        if effective:
            _effective_axes(grid[1])
        _legend(figure, axes)
        text = (
            "Line: mean over trials; band: ± one standard deviation. "
            "Training frequency: running mean over a tenth of the run (three parts or more)."
        )
        if theory is not None:
            text += "\nTheory: its level is fitted to the schedule's; at 1 it leaves no trade-off."
        _caption(figure, text)
    return drawing


def _group_shading(ax: Axes, stages: np.ndarray, groups: Sequence[str]) -> None:
    """Names of the groups of heads where more than one is trained in turn."""
    changes = [0] + [i for i in range(1, len(groups)) if groups[i] != groups[i - 1]]
    if len(changes) < 2:
        return
    for n, first in enumerate(changes):
        end = changes[n + 1] if n + 1 < len(changes) else len(groups)
        if n % 2:
            ax.axvspan(stages[first] - 0.5, stages[end - 1] + 0.5, color="#f4f4f4", zorder=0)
        ax.annotate(
            groups[first], (stages[first] - 0.4, 0.995), xycoords=("data", "axes fraction"),
            va="top", fontsize=8, color=GREY,
        )  # fmt: skip


def draw_stages(ax: Axes, table: cv.StageTable, colour: str, label: str, shift: float) -> None:
    x = table.stage + shift
    for at, scores in zip(x, table.scores):
        ax.plot(np.full(len(scores), at), scores, "o", ms=3.5, mew=0, color=colour, alpha=0.35)
    ax.errorbar(
        x, table.score_mean, yerr=table.score_std, fmt="o-", color=colour, ms=5.5, capsize=2.5,
        elinewidth=1.1, label=label,
    )  # fmt: skip


def draw_stage_baselines(ax: Axes, tables: Sequence[cv.StageTable]) -> None:
    """R', once for all runs that have the same: dashes on dashes are a line."""
    drawn: list[np.ndarray] = []
    for table in tables:
        line = np.column_stack([table.stage, table.baseline])
        if np.isfinite(table.baseline).any() and not any(
            np.array_equal(line, other, equal_nan=True) for other in drawn
        ):
            drawn.append(line)
            ax.plot(*line.T, "--", color=GREY, lw=1.3, label="baseline R′", zorder=1.5)


def _legend_above(ax: Axes) -> None:
    """A legend between title and panel, each label once: it never lies over the data."""
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles))
    if unique:
        rows = -(-len(unique) // 2)
        ax.legend(list(unique.values()), list(unique), loc="lower center", ncol=2,
                  bbox_to_anchor=(0.5, 1.0), borderaxespad=0.3)  # fmt: skip
        ax.set_title(ax.get_title(), pad=12.0 + 15.0 * rows)


def _stage_entropies(ax: Axes, table: cv.StageTable) -> None:
    for h, head in enumerate(HEADS):
        if np.isfinite(table.entropy[:, h]).any():
            ax.plot(
                table.stage, table.entropy[:, h], color=PALETTE[h], marker=MARKERS[h], ms=4.5,
                label=HEAD_NAMES[head],
            )  # fmt: skip
    for size in sorted(set(HEAD_SIZES)):
        ax.axhline(np.log(size), color=GREY, lw=1, ls=":")
        ax.annotate(
            f"uniform over {size}", (1, np.log(size)), xycoords=("axes fraction", "data"),
            xytext=(0, 5), textcoords="offset points", ha="right", va="bottom", fontsize=7.5,
            color=GREY,
        )  # fmt: skip
    ax.set_ylim(0, 1.25)
    ax.set_ylabel("entropy of the behaviour (nat)")
    ax.set_title("Entropy of the heads")


def controller(runs: Runs) -> Drawing:
    """Training of the controller: stage returns against the baseline, entropies of the heads."""
    header = ("run", "stage", "group", "episodes", "diverged", "score_mean", "score_std")
    header += ("baseline", "explored", *(f"entropy_{head}" for head in HEADS))
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(10.4, 3.7), layout="constrained")
        left, right = figure.subplots(1, 2)
        drawing = Drawing(figure, header)
        tables = [cv.stage_table(run) for run in runs]
        for i, (run, table) in enumerate(zip(runs, tables)):
            label = f"{method_name(run.method)}, seed {run.seed}"
            shift = 0.12 * (i - (len(runs) - 1) / 2)
            draw_stages(left, table, PALETTE[i % len(PALETTE)], label, shift)
            drawing.rows += _controller_rows(str(run.path), table)
            if i == 0:
                _group_shading(left, table.stage, table.group)
                _stage_entropies(right, table)
                if len(runs) > 1:
                    right.set_title(f"Entropy of the heads (seed {run.seed})")
        left.set_title(f"Return of the stages, {runs[0].env}")
        left.set_ylabel("mean evaluation return of a hyper-episode")
        draw_stage_baselines(left, tables)
        for ax in (left, right):
            _legend_above(ax)
        for ax in (left, right):
            ax.set_xlabel("stage")
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        _caption(figure, "Dots: hyper-episodes; line: mean of the stage ± one standard deviation.")
    return drawing


def _controller_rows(path: str, table: cv.StageTable) -> list[tuple]:
    return [
        (
            path,
            table.stage[i],
            table.group[i],
            len(table.scores[i]),
            table.diverged[i],
            table.score_mean[i],
            table.score_std[i],
            table.baseline[i],
            table.explored[i],
            *table.entropy[i],
        )
        for i in range(len(table.stage))
    ]


SECONDS = {
    "sac": "SAC updates",
    "model_train": "model training",
    "model_rollout": "model rollouts",
    "eval": "evaluation",
    "env": "real steps",
}


def time(runs: Runs) -> Drawing:
    """Where the time goes: seconds per epoch by part, from metrics.jsonl."""
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(8.2, 1.5 + 0.42 * len(runs)), layout="constrained")
        ax = figure.subplots()
        drawing = Drawing(figure, ("run", "part", "seconds_per_epoch", "share"))
        names = []
        for i, run in enumerate(runs):
            epochs = cv.epoch_seconds(run).values()
            names.append(f"{run.env}, {method_name(run.method)}, seed {run.seed}")
            mean = {
                part: float(np.mean([e.get(part, 0.0) for e in epochs] or [0.0]))
                for part in SECONDS
            }
            total = sum(mean.values())
            left = 0.0
            for part, colour in zip(SECONDS, PALETTE):
                ax.barh(i, mean[part], left=left, color=colour, height=0.62, label=SECONDS[part])
                left += mean[part]
                share = mean[part] / total if total else np.nan
                drawing.rows.append((str(run.path), part, mean[part], share))
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
        ax.set_xlabel("seconds per epoch (mean over epochs and hyper-episodes)")
        ax.xaxis.set_minor_formatter(NullFormatter())
        _legend(figure, [ax], columns=7)
    return drawing


def effects(runs: Runs) -> Drawing:
    """What a single decision otherwise does to the score: mean and interval over forks."""
    found = effects_of(runs)
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(5.8, 0.9 + 0.36 * len(found)), layout="constrained")
        ax = figure.add_subplot()
        rows = [effect.row() for effect in found]
        for i, (effect, row) in enumerate(zip(found, rows)):
            place = len(found) - 1 - i
            ax.plot(effect.score, np.full(len(effect.score), place), ".", color=GREY, alpha=0.6)
            ax.plot([row[3], row[4]], [place, place], color=PALETTE[0])
            ax.plot(row[2], place, "o", color=PALETTE[0])
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_yticks(range(len(found)), [effect.choice for effect in reversed(found)])
        ax.set_xlabel("difference of the score (mean evaluation return)")
        forks = len(runs)
        ax.set_title(f"One decision otherwise, {forks} fork{'s' if forks != 1 else ''}")
    return Drawing(figure, EFFECT_HEADER, rows)
