"""Tables in Markdown, made of the CSV files of experiments and of nothing else.

A document holds a table between two comments, the first of which says what it is made of:

    <!-- table: scores results/figure-2.csv task=pendulum-small -->
    <!-- end of table -->

`autombpo-plot tables FILE.md` compares what stands there with what follows from the CSV, `--write`
puts it there.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import stats

REFERENCE = "mbpo"
MARKED = re.compile(r"(<!-- table: (.+?) -->\n)(.*?)(<!-- end of table -->)", re.S)

Row = dict[str, str]


def read_csv(path: Path) -> list[Row]:
    """Rows of a CSV file, without its lines of comment."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def number(value: float) -> str:
    """A number with three significant digits, all digits before the point kept."""
    if not np.isfinite(value):
        return "-"
    size = abs(value)
    decimals = 0 if size >= 100 or value == 0 else 2 - int(np.floor(np.log10(size)))
    return f"{value:.{min(decimals, 6)}f}"


def interval(value: float, low: float, high: float) -> str:
    """`value [low, high]`, or the value alone."""
    bounds = f" [{number(low)}, {number(high)}]" if np.isfinite(low) else ""
    return number(value) + bounds


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _column(rows: Sequence[Row], name: str) -> np.ndarray:
    """A column as numbers; an empty field is NaN."""
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


def _name(method: str) -> str:
    from .style import method_name

    return method_name(method)


@dataclass(frozen=True)
class Method:
    """The trials of a method on a task, and what it cost.

    A group holds the trials that share what was made before (a controller, a schedule); without
    that each trial is a group of its own.
    """

    name: str
    trials: list[Row]
    costs: list[Row]

    @property
    def shared(self) -> bool:
        """Whether the trials of a repetition share what was made before."""
        return any(int(row["shared"]) for row in self.costs)

    def groups(self, column: str) -> list[np.ndarray]:
        """Values of a column, by group; fields that are empty are left out."""
        found: dict[tuple, list[Row]] = {}
        for row in self.trials:
            own = () if self.shared else (row["seed"], row["hyper_episode"])
            found.setdefault((row["repetition"], *own), []).append(row)
        values = [_column(rows, column) for rows in found.values()]
        return [v[np.isfinite(v)] for v in values if np.isfinite(v).any()]

    def count(self, name: str) -> int:
        """Sum of a column of the costs."""
        return sum(int(row[name]) for row in self.costs)


def methods(path: Path, task: str | None = None) -> dict[str, dict[str, Method]]:
    """Methods by task, of the trials in `path` and the costs beside them."""
    beside = path.with_name(f"{path.stem}-costs.csv")
    trials, costs = read_csv(path), read_csv(beside)
    result: dict[str, dict[str, Method]] = {}
    for row in costs:
        if task in (None, row["task"]):
            here = result.setdefault(row["task"], {})
            here.setdefault(row["method"], Method(row["method"], [], [])).costs.append(row)
    for row in trials:
        if task in (None, row["task"]):
            result[row["task"]][row["method"]].trials.append(row)
    if not result:
        raise ValueError(f"{path}: no task {task!r}")
    return result


# Scores ------------------------------------------------------------------------------------------


def _estimate(groups: list[np.ndarray], statistic: Callable[..., np.ndarray]) -> str:
    """A statistic over all trials with its interval."""
    if not groups:
        return "-"
    value = float(statistic(np.concatenate(groups), axis=0))
    low, high = stats.hierarchical_interval(groups, statistic)
    return interval(value, float(low), float(high))


def _mean(groups: list[np.ndarray]) -> str:
    """The mean with its interval; of few groups, each one's mean instead."""
    if not 1 < len(groups) < stats.FEWEST:
        return _estimate(groups, stats.mean)
    each = ", ".join(number(float(group.mean())) for group in groups)
    return f"{number(float(np.concatenate(groups).mean()))} (each: {each})"


def _improvement(method: Method, reference: Method | None) -> str:
    if reference is None or method is reference or not method.trials or not reference.trials:
        return "-"
    return _chance(stats.hierarchical_improvement(method.groups("auc"), reference.groups("auc")))


def _chance(estimate: tuple[float, float, float]) -> str:
    value, low, high = estimate
    return f"{value:.2f}" + (f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else "")


def _reached(method: Method) -> str:
    steps = _column(method.trials, "samples_to_threshold")
    reached = np.isfinite(steps)
    if not len(steps):
        return "-"
    median = np.median(np.where(reached, steps, np.inf))
    return f"{reached.sum()} of {len(steps)}" + (f", {median:.0f}" if np.isfinite(median) else "")


def _spent(method: Method, before: str, each: str, format: Callable[[float], str]) -> str:
    """`before + a run`, of two columns: means over repetitions and over runs; ?: not known."""
    own = _column(method.trials, each)
    run = format(float(own.mean())) if len(own) and np.isfinite(own).all() else "-"
    made = float(_column(method.costs, before).mean())
    if np.isnan(made):
        return f"? + {run}"
    return f"{format(made)} + {run}" if made else run


def _trial_count(method: Method) -> str:
    groups = len(method.groups("auc"))
    return f"{len(method.trials)} of {groups}" if method.shared else f"{len(method.trials)}"


SCORES = ("", "runs", "mean return: IQM", "mean", "lowest quarter", "better than MBPO",
          "last five", "threshold: runs, samples", "real samples", "core-hours", "diverged",
          "missing")  # fmt: skip


def _score_row(method: Method, reference: Method | None) -> list[str]:
    auc = method.groups("auc")
    runs = len(method.trials)
    missing = method.count("planned") - method.count("finished")
    return [
        _name(method.name),
        _trial_count(method),
        _estimate(auc, stats.iqm),
        _mean(auc),
        _estimate(auc, stats.lower_tail),
        _improvement(method, reference),
        _mean(method.groups("final")),
        _reached(method),
        _spent(method, "samples_before", "real_samples", lambda x: f"{x:,.0f}"),
        _spent(method, "core_seconds_before", "core_seconds", lambda x: number(x / 3600)),
        str(int(_column(method.trials, "diverged").sum()) if runs else 0),
        str(missing),
    ]


def scores(path: Path, task: str | None = None) -> str:
    """Each method on each task: returns, intervals, costs, what diverged and what is missing."""
    parts = []
    found = methods(path, task)
    for name, here in found.items():
        title = f"**{name}**\n\n" if len(found) > 1 else ""
        rows = [_score_row(method, here.get(REFERENCE)) for method in here.values()]
        parts.append(title + markdown(SCORES, rows))
    return "\n".join(parts)


def tasks(path: Path) -> str:
    """Probability that a run of a method is better than one of MBPO, by task and over the tasks."""
    found = methods(path)
    names = dict.fromkeys(name for here in found.values() for name in here if name != REFERENCE)
    rows = []
    for name in names:
        pairs = [(here.get(name), here.get(REFERENCE)) for here in found.values()]
        cells = ["-" if method is None else _improvement(method, mbpo) for method, mbpo in pairs]
        whole = all(x and x.trials for pair in pairs for x in pair)
        groups = [(method.groups("auc"), mbpo.groups("auc")) for method, mbpo in pairs if whole]
        rows.append([_name(name), *cells, _chance(stats.mean_improvement(groups)) if whole else "-"])
    return markdown(["", *found, "mean"], rows)


CONTROLLERS = ("", "runs", "mean return", "last five", "threshold: runs, samples")


def controllers(path: Path, task: str | None = None) -> str:
    """Each repetition of each method: means over its own runs, intervals over those alone."""
    rows = []
    for here in methods(path, task).values():
        for method in here.values():
            for repetition in dict.fromkeys(row["repetition"] for row in method.trials):
                own = [row for row in method.trials if row["repetition"] == repetition]
                alone = Method(method.name, own, [])
                title = _name(method.name) + (f", {repetition}" if len(method.costs) > 1 else "")
                rows.append([title, str(len(own)), _mean(alone.groups("auc")),
                             _mean(alone.groups("final")), _reached(alone)])  # fmt: skip
    return markdown(CONTROLLERS, rows)


# What controllers did ----------------------------------------------------------------------------


def _beside(path: Path, what: str, task: str | None) -> list[Row]:
    """Rows of the file NAME-what.csv beside NAME.csv, of one task or of all."""
    rows = read_csv(path.with_name(f"{path.stem}-{what}.csv"))
    return [row for row in rows if task in (None, row["task"])]


def _title(row: Row, rows: Sequence[Row], repetition: bool = True) -> str:
    """Task (if there are several), method, and repetition (if the method has several)."""
    kinds = {(other["task"], other["method"], other["repetition"]) for other in rows}
    parts = [row["task"]] if len({task for task, *_ in kinds}) > 1 else []
    parts.append(_name(row["method"]))
    same = [kind for kind in kinds if kind[:2] == (row["task"], row["method"])]
    if repetition and len(same) > 1:
        parts.append(row["repetition"])
    return ", ".join(parts)


def _grouped(rows: Sequence[Row], *columns: str) -> Iterable[list[Row]]:
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups.values()


def _pooled(rows: Sequence[Row]) -> list[Row]:
    """All repetitions together, or the only one."""
    several = {(row["task"], row["method"]) for row in rows if row["repetition"] == "all"}
    return [
        row
        for row in rows
        if row["repetition"] == "all" or (row["task"], row["method"]) not in several
    ]


def _share(text: str) -> str:
    return f"{100 * float(text):.0f} %" if text else "-"


def schedules(path: Path, task: str | None = None) -> str:
    """Mean hyperparameters at five points of a run, for each repetition and all together."""
    rows = _beside(path, "schedules", task)
    lines = []
    for group in _grouped(rows, "task", "method", "repetition"):
        columns = [", ".join(f"{float(row[name]):.3g}" for row in group)
                   for name in ("real_ratio", "policy_updates", "rollout_length")]  # fmt: skip
        lines.append([_title(group[0], rows), group[0]["runs"], *columns])
    points = ", ".join(dict.fromkeys(row["progress"] for row in rows))
    return markdown(("at " + points, "runs", "real ratio", "G", "k"), lines)


def heads(path: Path, task: str | None = None) -> str:
    """What each head chose, and the share of its decisions that had an effect."""
    rows = _beside(path, "heads", task)
    lines = [
        [_title(row, rows), row["head"], row["decisions"],
         *(_share(row[f"{place}_share"]) for place in ("first", "second", "third")),
         _share(row["effective_share"])]
        for row in _pooled(rows)
    ]  # fmt: skip
    header = ("", "head", "decisions", "skip, down", "train, keep", "up", "had an effect")
    return markdown(header, lines)


def signal(path: Path, task: str | None = None) -> str:
    """Signal and noise of the advantage of each head (signals.py), all repetitions together."""
    rows = _beside(path, "signal", task)
    lines = []
    for row in _pooled(rows):
        effects = [number(float(row[f"{place}_choice"])) if row[f"{place}_choice"] else "-"
                   for place in ("first", "second", "third")]  # fmt: skip
        needed = f"{float(row['needed']):,.0f}" if row["needed"] else "none found"
        noise, found, ratio = (number(float(row[n])) if row[n] else "-"
                               for n in ("noise", "signal", "ratio"))  # fmt: skip
        chance = f"{float(row['p']):.3f}" if row["p"] else "-"
        lines.append([_title(row, rows, False), row["head"], row["hyper_episodes"], noise, found,
                      ratio, chance, needed, *effects])  # fmt: skip
    header = ("", "head", "hyper-episodes", "noise", "signal", "signal / noise", "p",
              "hyper-episodes needed", "skip, down", "train, keep", "up")  # fmt: skip
    return markdown(header, lines)


def features(path: Path, task: str | None = None) -> str:
    """Share of decisions of training at which a feature stood at an end of its range."""
    rows = _beside(path, "features", task)
    lines = [[_title(row, rows, False), row["feature"], row["decisions"], _share(row["low_share"]),
              _share(row["high_share"])] for row in _pooled(rows)]  # fmt: skip
    return markdown(("", "feature", "decisions", "at its low end", "at its high end"), lines)


def stages(path: Path, task: str | None = None) -> str:
    """Mean score of each stage of training."""
    rows = _beside(path, "stages", task)
    lines = []
    for group in _grouped(rows, "task", "method", "repetition"):
        scores = ", ".join(number(float(row["score"])) for row in group)
        baseline = number(float(group[0]["baseline"])) if group[0]["baseline"] else "-"
        lost = sum(int(row["diverged"]) for row in group)
        lines.append([_title(group[0], rows), scores, baseline, str(lost)])
    return markdown(("", "mean score of each stage", "R'", "diverged"), lines)


def curve(path: Path, published: str | None = None) -> str:
    """The evaluations of a method's runs side by side, their mean, and published values.

    path: what `autombpo-plot evaluations` prints. published: a CSV file beside it, of env, method,
    env_step and return; a value stands beside the evaluation that is nearest to it.
    """
    runs = list(_grouped(read_csv(path), "seed", "hyper_episode"))
    count = min(map(len, runs))
    values = np.array([_column(run[:count], "return") for run in runs])
    steps = np.mean([_column(run[:count], "env_step") for run in runs], axis=0)
    low, high = stats.bootstrap_interval(values, stats.mean)
    beside = {}
    for row in read_csv(path.with_name(published)) if published else ():
        if (row["env"], row["method"]) == (runs[0][0]["env"], runs[0][0]["method"]):
            nearest = int(np.argmin(np.abs(steps - float(row["env_step"]))))
            if abs(steps[nearest] - float(row["env_step"])) < np.diff(steps).min() / 2:
                beside[nearest] = number(float(row["return"]))
    lines = [[f"{steps[i]:.0f}", interval(values[:, i].mean(), low[i], high[i]),
              *map(number, values[:, i]), beside.get(i, "")] for i in range(count)]  # fmt: skip
    seeds = [f"seed {run[0]['seed']}" for run in runs]
    return markdown(("real samples", "mean", *seeds, "published"), lines)


# Documents ---------------------------------------------------------------------------------------

TABLES: dict[str, Callable[..., str]] = {
    "scores": scores,
    "tasks": tasks,
    "controllers": controllers,
    "schedules": schedules,
    "heads": heads,
    "signal": signal,
    "features": features,
    "stages": stages,
    "curve": curve,
}


def make(text: str, directory: Path) -> str:
    """The table that a comment asks for: `KIND FILE [key=value ...]`."""
    kind, *words = text.split()
    if kind not in TABLES or not words:
        raise ValueError(f"table: {text}: expected one of {', '.join(TABLES)}, and a CSV file")
    settings = dict(word.split("=", 1) for word in words[1:])
    return TABLES[kind](directory / words[0], **settings)


def remake(document: Path) -> tuple[str, str]:
    """A document as it is, and with the tables that follow from the CSV files."""
    text = document.read_text(encoding="utf-8")
    if text.count("<!-- table:") != len(MARKED.findall(text)):
        raise ValueError(f"{document}: a table without <!-- end of table -->")

    def again(match: re.Match) -> str:
        return match[1] + make(match[2], document.parent) + match[4]

    return text, MARKED.sub(again, text)


def difference(document: Path, text: str, again: str) -> Iterable[str]:
    """Lines that differ, as a unified diff."""
    lines = text.splitlines(keepends=True), again.splitlines(keepends=True)
    return difflib.unified_diff(*lines, str(document), f"{document} as of the CSV files", n=0)
