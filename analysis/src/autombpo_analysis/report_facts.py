"""What a report says in words and tables: states, costs, losses, configurations, provenance."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from . import curves as cv
from . import stats
from .compare import Scores, preferred
from .io import Episode
from .live import parse_time, read_config, run_config, state_of
from .pack import stored_in
from .run import Run
from .runs import Runs
from .style import method_name

# Keys that say where and how a run ran, not what it computed.
INCIDENTAL = (
    "run.dir", "run.seed", "log.", "checkpoint.", "run.max_wall", "run.term_grace",
    "run.lost_after", "run.lease_timeout", "run.allow_", "env.assets", "external.",
)  # fmt: skip


@dataclass(frozen=True)
class RunFacts:
    """A row of the table of runs; core-hours count all ranks of all starts, waiting included."""

    path: str
    env: str
    method: str
    seed: int
    state: str
    sealed: int
    total: int | None
    diverged: int
    samples: int
    core_hours: float
    begun: datetime | None
    ended: datetime | None


def real_samples(episode: Episode) -> int:
    """Real samples that a hyper-episode collected; of a population's round its own only."""
    steps = episode.epochs["env_step"]
    if len(steps) == 0:
        return 0
    if int(episode.attributes.get("first_epoch", 0)) == 0:
        return int(steps[-1])
    length = int(episode.epoch_attributes.get("epoch_length", 0))
    return int(steps[-1] - steps[0] + length)


def _starts(run: Run) -> tuple[float, int | None, datetime | None, datetime | None]:
    """Core-hours, hyper-episodes planned, first and last sign of life, from metrics.jsonl.

    Jobs that share a directory overlap in the file, and are told apart only by their starts: the
    time between two signs of life counts for the ranks of the start before.
    """
    hours, ranks, total = 0.0, 0, None
    first = last = None
    for event in run.metrics():
        now = parse_time(event.get("time"))
        if now is None:
            continue
        if event.get("event") == "start":
            ranks, total = int(event.get("ranks", 1)), event.get("hyper_episodes", total)
        elif last is not None:
            hours += ranks * max(0.0, (now - last).total_seconds()) / 3600
        first, last = first or now, now
    return hours, total, first, last


def run_facts(run: Run) -> RunFacts:
    """State, size and cost of a run."""
    hours, total, begun, ended = _starts(run)
    state = state_of(run.status())
    if run.complete:
        state = "finished"
    return RunFacts(
        path=str(run.path),
        env=run.env,
        method=run.method,
        seed=run.seed,
        state=state,
        sealed=len(run.episodes),
        total=total,
        diverged=sum(e.diverged for e in run.episodes),
        samples=sum(real_samples(e) for e in [*run.episodes, *run.unfinished]),
        core_hours=hours,
        begun=begun,
        ended=ended,
    )


# The claim --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """Final return of a method on a task: interquartile mean with its interval (NaN: too few)."""

    env: str
    method: str
    counts: str
    until: int
    value: float
    low: float
    high: float
    over: str
    baseline: float
    above_baseline: int
    trials: int


def _baseline_at(episodes: Iterable[Episode], step: float) -> float:
    """R' after so many real samples; NaN where no trial has it.

    A member of a population stands at the samples of all members, where R' is another one.
    """
    for episode in episodes:
        column = episode.epochs.get("baseline_return")
        if column is not None and "round" not in episode.attributes and np.isfinite(column).all():
            return float(np.interp(step, episode.epochs["env_step"], column))
    return float("nan")


def _by_controller(episodes: Sequence[Episode], values: np.ndarray) -> list[np.ndarray]:
    """Values of trials, those that share a controller in one group: they share its luck."""
    found: dict[Any, list[float]] = {}
    for episode, value in zip(episodes, values):
        shared = episode.path.parent if episode.policy_version >= 0 else episode.path
        found.setdefault(shared, []).append(value)
    return [np.array(group) for group in found.values()]


def _interval(episodes: Sequence[Episode], values: np.ndarray) -> tuple[float, float, str]:
    """Bounds of the interquartile mean, and what was redrawn for them."""
    groups = _by_controller(episodes, values)
    if len(groups) == len(values):
        low, high = stats.bootstrap_interval(values)
        return float(low), float(high), "over trials"
    if len(groups) >= stats.FEWEST:
        low, high = stats.hierarchical_interval(groups)
        return float(low), float(high), f"over {len(groups)} controllers, then their trials"
    low, high = stats.bootstrap_interval(values)
    these = "this controller" if len(groups) == 1 else f"these {len(groups)} controllers"
    return float(low), float(high), f"over trials of {these}, not over others"


def results(data: Scores, groups: dict[tuple[str, str], list[Episode]]) -> list[Result]:
    """The final return of each method on each task, beside R' at the same point."""
    found = []
    for i, env in enumerate(data.tasks):
        usable = {m: cv.finished(groups[(env, m)]) for m in data.raw}
        base = _baseline_at([e for each in usable.values() for e in each], data.until[env])
        for method, parts in data.raw.items():
            low, high, over = _interval(usable[method], parts[i])
            found.append(
                Result(env, method, cv.trial_counts(usable[method]), data.until[env],
                       float(stats.iqm(parts[i])), low, high, over, base,
                       int((parts[i] > base).sum()), len(parts[i]))
            )  # fmt: skip
    return found


@dataclass(frozen=True)
class Chance:
    """Probability that a trial of `first` is better than one of `other`."""

    first: str
    other: str
    value: float
    low: float
    high: float


def chances(data: Scores) -> list[Chance]:
    """Of the preferred method against each other one."""
    first = preferred(data)
    return [
        Chance(first, m, *stats.probability_of_improvement(data.normalised[first], parts))
        for m, parts in data.normalised.items()
        if m != first
    ]


# What went wrong --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trouble:
    """Something that diverged, was lost, or that the health of a run warned of."""

    run: str
    what: str
    where: str


def _health(run: Run) -> list[Trouble]:
    """Each warning once, with how many epochs had it and where it came first."""
    seen: dict[str, list[tuple[int, int]]] = {}
    for event in run.metrics():
        if event.get("event") == "health":
            for text in event.get("warnings", []):
                place = (event.get("hyper_episode", -1), event.get("epoch", -1))
                seen.setdefault(text, []).append(place)
    return [
        Trouble(str(run.path), f"warning: {text}",
                f"{counted(len(places), 'epoch')}, first hyper-episode {places[0][0]}, epoch {places[0][1]}")
        for text, places in seen.items()
    ]  # fmt: skip


def troubles(run: Run) -> list[Trouble]:
    """All of a run: diverged hyper-episodes, lost ranks, extrapolation, warnings, bad files."""
    path = str(run.path)
    found = [
        Trouble(path, "diverged", f"hyper-episode {e.index}, after {e.n_epochs} epochs")
        for e in run.episodes
        if e.diverged
    ]
    for event in run.metrics():
        at = f"hyper-episode {event.get('hyper_episode')}"
        if event.get("event") == "lost":
            found.append(Trouble(path, f"rank {event.get('rank')} lost", at))
        elif event.get("event") == "extrapolation":
            found.append(Trouble(path, f"{event.get('feature')} beyond what was trained", at))
    found += _health(run)
    found += [Trouble(path, "left out", reason) for _, reason in run.skipped]
    return found


# Configurations ---------------------------------------------------------------------------------


def config_of(run: Run) -> dict[str, str]:
    """The configuration of a run, from run.yaml or from a sealed file."""
    found = run_config(run.path)
    return found or read_config(str(run.episodes[0].attributes.get("config", "")))


def config_differences(runs: Runs) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Columns (kinds of runs) and rows (key, a value each) where configurations differ.

    Runs that differ only in their seed and place are of one kind.
    """
    kinds: dict[tuple, tuple[str, dict[str, str], int]] = {}
    for run in runs:
        config = {k: v for k, v in config_of(run).items() if not k.startswith(INCIDENTAL)}
        key = tuple(sorted(config.items()))
        label, _, count = kinds.get(key, (f"{method_name(run.method)}, {run.env}", config, 0))
        kinds[key] = (label, config, count + 1)
    columns = [f"{label} ({counted(n, 'run')})" for label, _, n in kinds.values()]
    configs = [config for _, config, _ in kinds.values()]
    names = list(dict.fromkeys(name for config in configs for name in config))
    rows = [(name, [config.get(name, "–") for config in configs]) for name in names]
    return columns, [row for row in rows if len(set(row[1])) > 1]


# Provenance -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """One start of a run: its exact command, and the program and machine that ran it."""

    run: str
    time: str
    command: str
    ranks: Any
    version: str
    revision: str
    program: str
    machine: str


def starts(run: Run) -> list[Start]:
    """All starts of a run, from starts.jsonl."""
    found = []
    for start in run.starts():
        parts = [start.get("host"), start.get("kernels", start.get("blas")), start.get("mpi"),
                 f"compiler {start.get('compiler', '?')}"]  # fmt: skip
        found.append(
            Start(
                run=str(run.path),
                time=str(start.get("start", "")),
                command=shlex.join(["autombpo", *map(str, start.get("argv", []))]),
                ranks=start.get("ranks", ""),
                version=str(start.get("version", "")),
                revision=str(start.get("revision", "not recorded")),
                program=str(start.get("program", "")),
                machine=", ".join(str(part) for part in parts if part),
            )
        )
    return found


def alike(starts: Iterable[Start]) -> list[tuple[Start, int]]:
    """Starts that differ only in run and time (seeds=0..9) as one: the first, and their number."""
    found: dict[Start, list[Start]] = {}
    for start in starts:
        found.setdefault(replace(start, run="", time=""), []).append(start)
    return [(min(each, key=lambda start: start.time), len(each)) for each in found.values()]


def files_of(run: Run) -> list[Path]:
    """The files that the figures come from: what is sealed, and its configuration."""
    sealed = [e.path for e in run.episodes] + [p.path for p in run.policies]
    found = list(dict.fromkeys(map(stored_in, sealed)))
    names = ("run.yaml", "starts.jsonl", "metrics.jsonl", "status.json", "COMPLETE", "machine")
    return found + [run.path / name for name in names if (run.path / name).is_file()]


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def method_seconds(runs: Iterable[Run]) -> dict[str, dict[str, float]]:
    """Processor seconds of an epoch by part, for each method and task: mean over its epochs."""
    epochs: dict[str, list[dict[str, float]]] = {}
    for run in runs:
        label = f"{method_name(run.method)}, {run.env}"
        epochs.setdefault(label, []).extend(cv.epoch_seconds(run).values())
    return {
        label: {part: float(np.mean([e.get(part, 0.0) for e in each])) for part in each[0]}
        for label, each in epochs.items()
        if each
    }


def counted(number: int, noun: str) -> str:
    """1 run, 2 runs."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def seeds_text(seeds: Sequence[int]) -> str:
    """Seeds as they are given: 0..9 or 1,4,7."""
    ordered = sorted(set(seeds))
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}..{ordered[-1]}"
    return ",".join(map(str, ordered))
