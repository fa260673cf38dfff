"""TensorBoard event files, a directory a hyper-episode, x = real samples; of running runs too."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .export import episode_name, flat, missing, part_names, run_name
from .io import Episode
from .live import config_hash, json_lines, run_config
from .run import Run

FOLLOWED = ("eval_return", "real_ratio", "policy_updates", "rollout_length", "model_trainings",
            "rss_mb")  # fmt: skip
TAGS = {"eval_return": "eval_return_mean"}  # as in /epochs, so that both kinds of export agree


class Writer:
    """Scalars of one hyper-episode."""

    def __init__(self, directory: Path):
        try:
            from tensorboard.compat.proto.event_pb2 import Event, SessionLog
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise missing("tensorboard", error) from error
        self._event, self._summary, self._log = Event, Summary, SessionLog
        self._file = EventFileWriter(str(directory))

    def add(self, tag: str, step: int, value: float) -> None:
        """One number."""
        summary = self._summary(value=[self._summary.Value(tag=tag, simple_value=value)])
        self._file.add_event(self._event(wall_time=0.0, step=step, summary=summary))

    def begin_again(self, step: int) -> None:
        """What was written from this step on is done again: TensorBoard drops it."""
        log = self._log(status=self._log.START)
        self._file.add_event(self._event(wall_time=0.0, step=step, session_log=log))

    def flush(self) -> None:
        """Everything so far can be read."""
        self._file.flush()

    def close(self) -> None:
        """No more follows."""
        self._file.close()


def _scalars(episode: Episode) -> Iterator[tuple[str, int, float]]:
    names = part_names(episode)
    tables = (("epoch", episode.epochs), ("hyper", episode.decisions))
    for group, columns in tables:
        steps = columns.get("env_step")
        for key, values in flat(columns, names).items():
            if key == "env_step" or key.startswith(("eval_returns_", "eval_lengths_")):
                continue
            for step, value in zip(steps, values):
                if np.isfinite(value):
                    yield f"{group}/{key}", int(step), float(value)


def to_tensorboard(runs: Iterable[Run], directory: Path) -> list[Path]:
    """Everything that sealed hyper-episodes have; returns the directories."""
    written = []
    for episode in (episode for run in runs for episode in run.episodes):
        name = episode_name(episode)
        writer = Writer(Path(directory) / name)
        for tag, step, value in _scalars(episode):
            writer.add(tag, step, value)
        writer.close()
        written.append(Path(directory) / name)
    return written


class Follower:
    """A run directory whose epochs become event files as metrics.jsonl grows."""

    def __init__(self, run: Path, directory: Path):
        config = run_config(run)
        self.run, self._directory, self._seen = run, directory, 0
        names = [config.get(key, "unknown") for key in ("env.id", "run.method", "run.seed")]
        self._prefix = run_name(*names, config_hash(run))
        self._writers: dict[int, Writer] = {}
        self._last: dict[int, int] = {}

    def _take(self, event: dict[str, Any]) -> None:
        index, step = int(event["hyper_episode"]), int(event["env_step"])
        if index not in self._writers:
            self._writers[index] = Writer(self._directory / f"{self._prefix}_e{index:06d}")
        writer = self._writers[index]
        if step <= self._last.get(index, -1):
            writer.begin_again(step)
        self._last[index] = step
        numbers = {f"epoch/{TAGS.get(key, key)}": event.get(key) for key in FOLLOWED}
        numbers |= {f"time/{part}": value for part, value in event.get("seconds", {}).items()}
        for tag, value in numbers.items():
            if value is not None:
                writer.add(tag, step, float(value))

    def look(self) -> bool:
        """Takes what is new; returns whether more may come."""
        complete = (self.run / "COMPLETE").exists()
        events = [e for e in json_lines(self.run / "metrics.jsonl") if e.get("event") == "epoch"]
        for event in events[self._seen :]:
            self._take(event)
        self._seen = len(events)
        for writer in self._writers.values():
            writer.flush()
        return not complete

    def close(self) -> None:
        """Closes the event files."""
        for writer in self._writers.values():
            writer.close()


def follow(runs: Iterable[Path], directory: Path, interval: float = 5.0) -> None:
    """Writes epochs as they come, until all runs are complete."""
    followers = [Follower(run, directory) for run in runs]
    open_ones = list(followers)
    try:
        while True:
            open_ones = [follower for follower in open_ones if follower.look()]
            if not open_ones:
                return
            time.sleep(interval)
    finally:
        for follower in followers:
            follower.close()
