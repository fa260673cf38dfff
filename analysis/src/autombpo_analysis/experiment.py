"""Experiments (autombpo experiment): what was planned, what is finished, and their numbers as CSV.

An experiment's directory holds its description, NAME.json, and run directories, which several
experiments may share. All numbers of a report are in the CSV files that this module writes; the
tables (tables.py) are made of those alone.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from . import behaviour as bh
from . import curves as cv
from . import signals
from .io import Episode, FormatError
from .live import json_lines, read_config
from .population import best_line, is_round, population_samples
from .run import Run, read_run
from .runs import Runs
from .style import _cell

FORMAT = "autombpo.experiment"
FORMAT_VERSION = 1
PROGRAM = ("version", "revision", "program", "kernels")  # of a start, as starts.jsonl has them
FINAL = 5  # evaluations that the final return is the mean of

TRIAL_HEADER = ("task", "method", "repetition", "set", "seed", "hyper_episode", "auc", "final",
                "samples_to_threshold", "diverged", "real_samples", "core_seconds")  # fmt: skip
COST_HEADER = ("task", "method", "repetition", "shared", "runs_before", "samples_before",
               "core_seconds_before", "planned", "finished", "samples",
               "core_seconds")  # fmt: skip
APPLIES = re.compile(r" scheduler\.(controller|schedule)=[^ ]")  # in a command
BEHAVIOUR = ("task", "method", "repetition")


@dataclass(frozen=True)
class PlannedRun:
    """One run of an experiment; `after` are the indices of the runs whose results it needs."""

    task: str
    method: str
    repetition: int
    role: str
    set: str
    seed: int
    path: Path
    command: str
    after: tuple[int, ...]

    @property
    def complete(self) -> bool:
        """Whether everything of the run is done."""
        return (self.path / "COMPLETE").exists()


@dataclass(frozen=True)
class Experiment:
    """An experiment as planned, and the runs of it that are finished."""

    path: Path
    name: str
    first_seed: dict[str, int]  # of each set
    threshold: dict[str, float]
    runs: list[PlannedRun]
    cpu_seconds: dict[str, float]  # of all processes that worked on a run, by its directory
    read_before: dict[Path, Run] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, path: Path | str) -> Experiment:
        """Read a description, or the one of a directory; raises FormatError if it is none."""
        file = _description(Path(path))
        path = file.parent
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise FormatError(f"{file}: not JSON ({error})") from error
        if data.get("format") != FORMAT or data.get("format_version", 0) > FORMAT_VERSION:
            raise FormatError(f"{file}: format is {data.get('format')!r}, version "
                              f"{data.get('format_version')}; expected {FORMAT}, version "
                              f"{FORMAT_VERSION}")  # fmt: skip
        try:
            runs = [_planned(path, item) for item in data["runs"]]
            name = str(data["name"])
        except (KeyError, TypeError) as error:
            raise FormatError(f"{file}: missing or wrong: {error}") from error
        threshold = {task: float(value) for task, value in data.get("threshold", {}).items()
                     if value is not None}  # fmt: skip
        first_seed = dict(data.get("first_seed", {}))
        return cls(path, name, first_seed, threshold, runs, _cpu_seconds(path))

    def finished(self, role: str = "test") -> list[PlannedRun]:
        """Runs of a role that are complete."""
        return [run for run in self.runs if run.role == role and run.complete]

    def missing(self) -> list[PlannedRun]:
        """Runs of any role that are not complete."""
        return [run for run in self.runs if not run.complete]

    def open(self, plan: PlannedRun) -> Run:
        """A finished run, with the experiment's names of task, method and repetition."""
        if plan.path not in self.read_before:
            self.read_before[plan.path] = _labelled(read_run(plan.path), plan, self.shares(plan))
        return self.read_before[plan.path]

    def before(self, run: PlannedRun) -> list[PlannedRun]:
        """All runs that came before, so that this one could be: each once."""
        found: dict[int, None] = {}
        waiting = list(run.after)
        while waiting:
            index = waiting.pop()
            if index not in found:
                found[index] = None
                waiting += self.runs[index].after
        return [self.runs[index] for index in sorted(found)]

    def shares(self, plan: PlannedRun) -> bool:
        """Whether the hyper-episodes of a test run share what was made before: a controller, one of
        several repetitions, or what the command names."""
        same = (plan.task, plan.method, plan.role)
        repetitions = {r.repetition for r in self.runs if (r.task, r.method, r.role) == same}
        return len(repetitions) > 1 or bool(APPLIES.search(plan.command))

    def load(self, role: str = "test") -> Runs:
        """Finished runs of a role (see open)."""
        runs = Runs(self.open(plan) for plan in self.finished(role))
        if not runs:
            raise FormatError(f"{self.path}: no {role} run of {self.name} is finished")
        return runs


def _planned(path: Path, item: dict[str, Any]) -> PlannedRun:
    return PlannedRun(
        task=str(item["task"]),
        method=str(item["method"]),
        repetition=int(item["repetition"]),
        role=str(item["role"]),
        set=str(item["set"]),
        seed=int(item["seed"]),
        path=path / str(item["directory"]),
        command=str(item["command"]),
        after=tuple(int(index) for index in item.get("after", ())),
    )


def _cpu_seconds(path: Path) -> dict[str, float]:
    """Processor time by directory, from costs.jsonl: a line for each process that has worked."""
    result: dict[str, float] = {}
    for line in json_lines(path / "costs.jsonl"):
        directory, seconds = str(path / str(line.get("directory"))), line.get("cpu_seconds")
        result[directory] = result.get(directory, 0.0) + float(seconds or 0.0)
    return result


def _is_description(file: Path) -> bool:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and data.get("format") == FORMAT


def _descriptions(path: Path) -> list[Path]:
    return sorted(file for file in path.glob("*.json") if _is_description(file))


def _description(path: Path) -> Path:
    """The description that a path names: itself, or the only one of a directory."""
    if not path.is_dir():
        return path
    found = _descriptions(path)
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise FormatError(f"{path}: holds several experiments; name one of {names}")
    if not found:
        raise FormatError(f"{path}: holds no experiment, expected NAME.json of "
                          "`autombpo experiment run`")  # fmt: skip
    return found[0]


def is_experiment(path: Path) -> bool:
    """Whether a path is the description of an experiment, or a directory with any."""
    path = Path(path)
    return _is_description(path) if path.suffix == ".json" else bool(_descriptions(path))


def _labelled(run: Run, plan: PlannedRun, shared: bool) -> Run:
    """A run whose hyper-episodes have the names that the experiment gives them."""
    names: dict[str, Any] = {"env": plan.task, "method": plan.method}
    if shared:  # Curves.groups
        names["controller"] = plan.repetition
    for i, episode in enumerate(run.episodes):
        own = {**names, "env_id": episode.env}
        run.episodes[i] = replace(episode, attributes={**episode.attributes, **own})
    return run


# Numbers of a hyper-episode ----------------------------------------------------------------------


def _last_step(episode: Episode) -> int:
    """Real samples of a hyper-episode: of one that diverged at least those that are known."""
    steps = [columns["env_step"][-1] for columns in (episode.epochs, episode.decisions)
             if len(columns.get("env_step", ()))]  # fmt: skip
    return int(max(steps, default=0))


def run_samples(run: Run) -> int:
    """Real samples that a run used, of all its hyper-episodes or members together."""
    if is_round(run.episodes[0]):
        return int(population_samples(run.episodes)[-1][-1])
    return sum(_last_step(episode) for episode in run.episodes)


def _seconds(run: Run) -> dict[int, float]:
    """Processor time of each hyper-episode, from metrics.jsonl."""
    result: dict[int, float] = {}
    for (index, _), parts in cv.epoch_seconds(run).items():
        result[index] = result.get(index, 0.0) + sum(parts.values())
    return result


def _planned_epochs(trials: Sequence[Episode]) -> int:
    """Epochs of those that came to their end; where none did, those of the configuration."""
    ended = [episode.n_epochs for episode in trials if not episode.diverged]
    config = read_config(str(trials[0].attributes.get("config", "")))
    return max(ended, default=int(config.get("hyper.apply_epochs", 0)))


def _evaluations(episode: Episode, planned: int) -> np.ndarray:
    """Mean evaluation returns; each epoch lost to a divergence has what `score` counts it as."""
    returns = episode.epochs["eval_return_mean"]
    lost = planned - len(returns)
    if not episode.diverged or lost <= 0:
        return returns
    total = float(episode.attributes["score"]) * planned
    return np.concatenate([returns, np.full(lost, (total - returns.sum()) / lost)])


def _threshold_step(episode: Episode, threshold: float | None) -> float:
    """Real samples at the first evaluation that reaches the threshold; NaN if none does."""
    if threshold is None:
        return np.nan
    reached = np.flatnonzero(episode.epochs["eval_return_mean"] >= threshold)
    return float(episode.epochs["env_step"][reached[0]]) if len(reached) else np.nan


def representatives(run: Run) -> list[Episode]:
    """Hyper-episodes that are trials: all of a test run, of a population its best line."""
    if not is_round(run.episodes[0]):
        return run.episodes
    try:
        return [best_line(run.episodes)]
    except FormatError:  # no member came to its end
        return [replace(run.episodes[-1], attributes={**run.episodes[-1].attributes,
                                                      "status": "diverged"})]  # fmt: skip


def _trial_rows(plan: PlannedRun, run: Run, threshold: float | None) -> Iterable[tuple]:
    trials = representatives(run)
    planned = _planned_epochs(trials)
    population = is_round(run.episodes[0])
    seconds = _seconds(run)
    for episode in trials:
        returns = _evaluations(episode, planned)
        spent = sum(seconds.values()) if population else seconds.get(episode.index, np.nan)
        yield (
            plan.task,
            plan.method,
            plan.repetition,
            plan.set,
            plan.seed,
            episode.index,
            float(returns.mean()) if len(returns) else np.nan,
            float(returns[-FINAL:].mean()) if len(returns) else np.nan,
            _threshold_step(episode, threshold),
            int(episode.diverged),
            run_samples(run) if population else _last_step(episode),
            spent if seconds else np.nan,
        )


# Tables of numbers -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Numbers:
    """Rows under a header, with lines that say what they come from."""

    header: Sequence[str]
    rows: list[tuple]
    comments: list[str]

    def write(self, path: Path) -> Path:
        """Write them as CSV behind lines with #; a missing number is an empty field."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            file.writelines(f"# {line}\n" for line in self.comments)
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.header)
            writer.writerows([_cell(value) for value in row] for row in self.rows)
        return path


def _programs(experiment: Experiment) -> list[str]:
    """What the finished runs of each task were made by; several, where it changed meanwhile."""
    lines: dict[str, None] = {}
    for plan in experiment.runs:
        for start in json_lines(plan.path / "starts.jsonl") if plan.complete else ():
            said = ", ".join(f"{key} {start[key]}" for key in PROGRAM if key in start)
            lines[f"made {plan.task}: {said}"] = None
    return list(lines)


def comments(experiment: Experiment) -> list[str]:
    """What an experiment's numbers were made with: one command of each kind of run."""
    seeds = ", ".join(f"{name} {seed}" for name, seed in experiment.first_seed.items())
    lines = [f"experiment: {experiment.name}", f"first_seed: {seeds}"]
    lines += [f"threshold {task}: {value:g}" for task, value in experiment.threshold.items()]
    lines += _programs(experiment)
    shown = set()
    for run in experiment.runs:
        kind = (run.task, run.method, run.role)
        if kind not in shown:
            shown.add(kind)
            lines.append(f"run {run.task} {run.method} {run.role}: {run.command}")
    lines += [f"missing: {run.task} {run.method} {run.repetition} {run.role}"
              for run in experiment.missing()]  # fmt: skip
    return lines


def trials(experiment: Experiment) -> Numbers:
    """One row a test seed: rows for TRIAL_HEADER."""
    rows: list[tuple] = []
    for plan in experiment.finished():
        threshold = experiment.threshold.get(plan.task)
        rows += _trial_rows(plan, experiment.open(plan), threshold)
    return Numbers(TRIAL_HEADER, rows, comments(experiment))


def _spent(experiment: Experiment, plans: Iterable[PlannedRun]) -> tuple[int, float]:
    """Real samples and core-seconds of the finished ones of some runs.

    Core-seconds are those of the processes; without costs.jsonl those of the hyper-episodes."""
    samples, seconds = 0, 0.0
    for plan in plans:
        if plan.complete:
            run = experiment.open(plan)
            samples += run_samples(run)
            known = experiment.cpu_seconds.get(str(plan.path))
            seconds += sum(_seconds(run).values()) if known is None else known
    return samples, seconds


def costs(experiment: Experiment) -> Numbers:
    """One row a repetition of a method: what came before its test run, and what that took.

    A run that several repetitions need (R') counts for each of them, because each needs it. What a
    controller cost that came from elsewhere is not known: NaN.
    """
    groups: dict[tuple, list[PlannedRun]] = {}
    for run in experiment.runs:
        if run.role == "test":
            groups.setdefault((run.task, run.method, run.repetition), []).append(run)
    rows = []
    for key, tests in groups.items():
        before = {run.path: run for test in tests for run in experiment.before(test)}
        finished = [test for test in tests if test.complete]
        shared = int(any(experiment.shares(test) for test in tests))
        foreign = not before and any(APPLIES.search(test.command) for test in tests)
        made = (np.nan, np.nan) if foreign else _spent(experiment, before.values())
        rows.append((*key, shared, len(before), *made, len(tests),
                     len(finished), *_spent(experiment, finished)))  # fmt: skip
    return Numbers(COST_HEADER, rows, comments(experiment))


# What controllers did ----------------------------------------------------------------------------


def _by_method(experiment: Experiment, role: str) -> dict[tuple, list[PlannedRun]]:
    """Finished runs of a role by (task, method)."""
    groups: dict[tuple, list[PlannedRun]] = {}
    for plan in experiment.finished(role):
        groups.setdefault((plan.task, plan.method), []).append(plan)
    return groups


Rows = Callable[[list[Run]], Iterable[tuple]]


def _behaviour(experiment: Experiment, role: str, header: Sequence[str], make: Rows,
               pooled: bool = True) -> Numbers:  # fmt: skip
    """Rows of each repetition, and if there are several, of all of them together."""
    rows = []
    for key, plans in _by_method(experiment, role).items():
        runs = [experiment.open(plan) for plan in plans]
        parts = [(plan.repetition, [run]) for plan, run in zip(plans, runs)]
        if pooled and len(runs) > 1:
            parts.append(("all", runs))
        for name, part in parts:
            rows += [(*key, name, *row) for row in make(part)]
    return Numbers((*BEHAVIOUR, *header), rows, comments(experiment))


def _trials_of(runs: list[Run]) -> list[Episode]:
    return [episode for run in runs for episode in representatives(run)]


def _episodes_of(runs: list[Run]) -> list[Episode]:
    return [episode for run in runs for episode in run.episodes]


def behaviour(experiment: Experiment) -> dict[str, Numbers]:
    """Tables by name: schedules and heads of test runs; stages, signal and features of training."""
    ways: dict[str, tuple] = {
        "schedules": ("test", bh.SCHEDULE_HEADER, lambda runs: bh.schedule_rows(_trials_of(runs))),
        "heads": ("test", bh.HEAD_HEADER, lambda runs: bh.head_rows(_trials_of(runs))),
        "features": ("train", bh.FEATURE_HEADER, lambda runs: bh.feature_rows(_episodes_of(runs))),
        "signal": ("train", signals.HEADER, signals.rows),
        "stages": ("train", bh.STAGE_HEADER, lambda runs: bh.stage_rows(runs[0]), False),
    }
    found = {name: _behaviour(experiment, *way) for name, way in ways.items()}
    return {name: numbers for name, numbers in found.items() if numbers.rows}
