"""Reading one run directory (docs/formats.md, format version 1)."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .io import Episode, FormatError, PathLike, Policy
from .live import UNFINISHED, json_lines, run_config, unfinished_columns
from .pack import sealed_files
from .population import best_line

EPISODE_NAME = re.compile(r"^\d+\.h5$")
POLICY_NAME = re.compile(r"^v\d+\.h5$")


class SkippedFileWarning(UserWarning):
    """A file was left out because it is incomplete or unreadable."""


@dataclass
class Run:
    """A run directory: its sealed hyper-episodes (by index) and controllers (by version)."""

    path: Path
    episodes: list[Episode]
    policies: list[Policy] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    unfinished: list[Episode] = field(default_factory=list)  # not sealed yet: from metrics.jsonl

    @property
    def env(self) -> str:
        """Task id."""
        return (self.episodes or self.unfinished)[0].env

    @property
    def method(self) -> str:
        """Name of the method."""
        return (self.episodes or self.unfinished)[0].method

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return (self.episodes or self.unfinished)[0].seed

    @property
    def complete(self) -> bool:
        """Whether every hyper-episode and update is done."""
        return (self.path / "COMPLETE").exists()

    @property
    def trains_controller(self) -> bool:
        """Whether the controller changed between its hyper-episodes."""
        return len({episode.policy_version for episode in self.episodes}) > 1

    def stages(self) -> dict[int, list[Episode]]:
        """Hyper-episodes by stage, in order."""
        result: dict[int, list[Episode]] = {}
        for episode in sorted(self.episodes, key=lambda e: e.index):
            result.setdefault(episode.stage, []).append(episode)
        return dict(sorted(result.items()))

    def trials(self, stage: str = "auto") -> list[Episode]:
        """Hyper-episodes that represent the run in a comparison.

        `stage` is `all`, `last`, a number, or `auto`: the last stage of a run that trains a
        controller, else all. Of a population it is one trial: its best member, over the real
        samples of all (population.best_line).
        """
        if not self.episodes:
            return []
        if "round" in self.episodes[0].attributes:
            return [best_line(self.episodes)]
        if stage == "auto":
            stage = "last" if self.trains_controller else "all"
        if stage == "all":
            return list(self.episodes)
        stages = self.stages()
        wanted = max(stages) if stage == "last" else int(stage)
        if wanted not in stages:
            raise ValueError(f"{self.path}: no stage {wanted}; it has {sorted(stages)}")
        return stages[wanted]

    def status(self) -> dict[str, Any]:
        """Content of status.json; empty if there is none."""
        path = self.path / "status.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def metrics(self) -> Iterator[dict[str, Any]]:
        """Objects of metrics.jsonl, in order; a torn last line is left out."""
        return json_lines(self.path / "metrics.jsonl")

    def starts(self) -> Iterator[dict[str, Any]]:
        """Objects of starts.jsonl, in order."""
        return json_lines(self.path / "starts.jsonl")


def _read_all(directory: Path, name: re.Pattern[str], reader: Any, skipped: list) -> list:
    """All sealed files of a directory; incomplete ones are recorded in `skipped` and warned of."""
    result = []
    for path in sealed_files(directory):
        if not name.match(path.name):
            continue
        try:
            result.append(reader(path))
        except FormatError as error:
            skipped.append((path, str(error)))
            warnings.warn(f"left out {error}", SkippedFileWarning, stacklevel=3)
    return result


def _unfinished(path: Path, sealed: list[Episode]) -> list[Episode]:
    """Hyper-episodes that have epochs but no file yet."""
    config = run_config(path)
    keys = {"env": "env.id", "method": "run.method", "seed": "run.seed"}
    if not all(key in config for key in keys.values()):
        return []
    found = []
    for index, (stage, epochs) in unfinished_columns(path, {e.index for e in sealed}).items():
        attributes = {name: config[key] for name, key in keys.items()}
        attributes.update(hyper_episode=index, stage=stage, status=UNFINISHED)
        place = path / "episodes" / f"{index:06d}.h5"
        found.append(Episode(place, attributes, {}, epochs, {}, {}, 0, len(epochs["env_step"])))
    return found


def read_run(path: PathLike, unfinished: bool = False) -> Run:
    """Read one run directory, with `unfinished` also what it has not sealed yet.

    Raises FormatError if there is nothing to read.
    """
    path = Path(path)
    skipped: list[tuple[Path, str]] = []
    episodes = _read_all(path / "episodes", EPISODE_NAME, Episode.read, skipped)
    policies = _read_all(path / "policy", POLICY_NAME, Policy.read, skipped)
    open_ones = _unfinished(path, episodes) if unfinished else []
    if not episodes and not open_ones:
        looked = "no hyper-episode is sealed" + (", none has an epoch" if unfinished else "")
        raise FormatError(f"{path}: nothing to read yet: {looked}")
    episodes.sort(key=lambda episode: episode.index)
    policies.sort(key=lambda policy: policy.version)
    return Run(path, episodes, policies, skipped, open_ones)
