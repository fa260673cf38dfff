"""Reading run directories (docs/formats.md, format version 1)."""

from __future__ import annotations

import glob
import json
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import h5py
import numpy as np

from .live import UNFINISHED, json_lines, run_config, unfinished_columns

FORMAT_VERSION = 1
EPISODE_FORMAT = "autombpo.episode"
POLICY_FORMAT = "autombpo.policy"
EPISODE_NAME = re.compile(r"^\d+\.h5$")
POLICY_NAME = re.compile(r"^v\d+\.h5$")

FEATURES = (
    "progress",
    "model_loss",
    "critic_loss",
    "policy_change",
    "eval_return",
    "real_ratio",
    "policy_updates",
    "rollout_length",
)
HEADS = ("train_model", "real_ratio", "policy_updates", "rollout_length")
HEAD_SIZES = (2, 3, 3, 3)
HYPERPARAMETERS = ("model_trained", "real_ratio", "policy_updates", "rollout_length")

PathLike = Union[str, Path]
Columns = dict[str, np.ndarray]


class FormatError(ValueError):
    """A file is not what docs/formats.md says; the message names file, place and expectation."""


class SkippedFileWarning(UserWarning):
    """A file was left out because it is incomplete or unreadable."""


def _text(value: Any) -> Any:
    """Attribute as a Python value: text for either kind of HDF5 string, scalars unboxed."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, np.ndarray) and value.shape == ():
        return _text(value[()])
    if isinstance(value, np.generic):
        return _text(value.item())
    return value


def _attributes(node: h5py.Group) -> dict[str, Any]:
    return {name: _text(value) for name, value in node.attrs.items()}


def _columns(file: h5py.File, group: str) -> Columns:
    """All datasets directly in `group`; empty if the group is missing."""
    if group not in file:
        return {}
    return {name: node[()] for name, node in file[group].items() if isinstance(node, h5py.Dataset)}


def _names(text: Any, default: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text.split(",")) if isinstance(text, str) else default


def _check_lengths(path: Path, group: str, columns: Columns) -> int:
    """Number of rows that all columns of `group` share."""
    if not columns:
        return 0
    rows = {name: len(column) for name, column in columns.items()}
    if len(set(rows.values())) != 1:
        raise FormatError(f"{path}: /{group}: columns differ in length: {rows}")
    return next(iter(rows.values()))


def _require(path: Path, attributes: dict[str, Any], names: Iterable[str]) -> None:
    missing = [name for name in names if name not in attributes]
    if missing:
        raise FormatError(f"{path}: missing root attributes: {', '.join(missing)}")


FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}


def _leads_out(file: h5py.File) -> str | None:
    """What would have another file opened, or a plug-in loaded, by reading this one."""
    problems: list[str] = []

    def check_link(name: bytes, info: Any) -> None:
        if info.type != h5py.h5l.TYPE_HARD:
            problems.append(f"/{name.decode(errors='replace')} is a link to elsewhere")

    def check_values(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset):
            made = node.id.get_create_plist()
            if made.get_layout() == h5py.h5d.VIRTUAL or made.get_external_count() > 0:
                problems.append(f"/{name} has its values in another file")
            filters = {made.get_filter(i)[0] for i in range(made.get_nfilters())}
            if not filters <= FILTERS:
                problems.append(f"/{name} needs a plug-in to be read")

    file.id.links.visit(check_link, info=True)
    if not problems:
        file.visititems(check_values)
    return problems[0] if problems else None


MARK = b"\nautombpo-sealed "
MARK_SIZE = len(MARK) + 17  # and 16 hexadecimal digits, newline


def _checksum(data: bytes) -> int:
    """The checksum of the seal (docs/formats.md, section 2): FNV-1a over words of 8 bytes."""
    value, prime, mask = 0xCBF29CE484222325, 0x100000001B3, (1 << 64) - 1
    words = len(data) // 8
    for word in np.frombuffer(data, dtype="<u8", count=words).tolist():
        value = (value ^ word) * prime & mask
        value ^= value >> 32
    for byte in data[8 * words :]:
        value = (value ^ byte) * prime & mask
    return value


def _seal_problem(path: Path) -> str | None:
    """Why the bytes of a file are not known to be those that were sealed; None if they are."""
    data = path.read_bytes()
    mark = data[-MARK_SIZE:]
    if not mark.startswith(MARK):
        return "has no seal at its end: cut off, damaged, or written by another program"
    if mark[len(MARK) :] != b"%016x\n" % _checksum(data[:-MARK_SIZE]):
        return "is damaged: its bytes are not those that were sealed"
    return None


def _open(path: Path, expected: str) -> tuple[h5py.File, dict[str, Any]]:
    """Open a sealed file after checking that it is complete, of a format that we read, and whole.

    Links and storage in other files are refused: a data file does not choose what is opened.
    """
    try:
        problem = _seal_problem(path)
        if problem is not None:
            raise FormatError(f"{path}: {problem}")
        file = h5py.File(path, "r")
    except OSError as error:
        raise FormatError(f"{path}: not a readable HDF5 file ({error})") from error
    attributes = _attributes(file)
    problem = None
    if attributes.get("format") != expected:
        problem = f"format is {attributes.get('format')!r}, expected {expected!r}"
    elif attributes.get("format_version", 0) > FORMAT_VERSION:
        problem = (
            f"format version {attributes['format_version']} is newer than {FORMAT_VERSION}, "
            "which this package reads: update it"
        )
    elif attributes.get("complete") != 1:
        problem = "incomplete (attribute 'complete' is not 1)"
    else:
        problem = _leads_out(file)
    if problem is not None:
        file.close()
        raise FormatError(f"{path}: {problem}")
    return file, attributes


@dataclass(frozen=True)
class Episode:
    """One sealed hyper-episode.

    `decisions` and `epochs` map column names to arrays with one row per decision or epoch.
    """

    path: Path
    attributes: dict[str, Any]
    decisions: Columns
    epochs: Columns
    decision_attributes: dict[str, Any]
    epoch_attributes: dict[str, Any]
    n_decisions: int
    n_epochs: int

    @classmethod
    def read(cls, path: PathLike) -> Episode:
        """Read everything but /env and /final.

        Raises FormatError for a file that is incomplete or not in the expected format.
        """
        path = Path(path)
        file, attributes = _open(path, EPISODE_FORMAT)
        with file:
            _require(
                path, attributes, ("env", "method", "seed", "hyper_episode", "stage", "status")
            )
            decisions = _columns(file, "decisions")
            epochs = _columns(file, "epochs")
            if "env_step" not in epochs or "eval_return_mean" not in epochs:
                raise FormatError(f"{path}: /epochs must have env_step and eval_return_mean")
            return cls(
                path=path,
                attributes=attributes,
                decisions=decisions,
                epochs=epochs,
                decision_attributes=_attributes(file["decisions"]) if "decisions" in file else {},
                epoch_attributes=_attributes(file["epochs"]),
                n_decisions=_check_lengths(path, "decisions", decisions),
                n_epochs=_check_lengths(path, "epochs", epochs),
            )

    @property
    def env(self) -> str:
        """Task id, for example `hopper-v2`."""
        return str(self.attributes["env"])

    @property
    def method(self) -> str:
        """Name of the method."""
        return str(self.attributes["method"])

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return int(self.attributes["seed"])

    @property
    def index(self) -> int:
        """Index of the hyper-episode in its run."""
        return int(self.attributes["hyper_episode"])

    @property
    def stage(self) -> int:
        """Stage that the hyper-episode belongs to."""
        return int(self.attributes["stage"])

    @property
    def policy_version(self) -> int:
        """Version of the controller that acted; -1 without a controller."""
        return int(self.attributes.get("policy_version", -1))

    @property
    def diverged(self) -> bool:
        """Whether a NaN or infinity stopped it."""
        return self.attributes["status"] == "diverged"

    @property
    def score(self) -> float:
        """Mean over epochs of the mean evaluation return: area under the learning curve."""
        returns = self.epochs["eval_return_mean"]
        return float(np.mean(returns)) if len(returns) else float("nan")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the columns of `features_raw` and `state`."""
        return _names(self.decision_attributes.get("feature_names"), FEATURES)

    @property
    def head_names(self) -> tuple[str, ...]:
        """Names of the columns of `action`, `effective`, `logp` and `entropy`."""
        return _names(self.decision_attributes.get("head_names"), HEADS)

    @property
    def hyperparameter_names(self) -> tuple[str, ...]:
        """Names of the columns of `hyperparameters`."""
        return _names(self.decision_attributes.get("hyperparameter_names"), HYPERPARAMETERS)

    @property
    def env_spec(self) -> dict[str, Any]:
        """Numbers of observations and actions, bounds, horizon."""
        return json.loads(self.attributes.get("env_spec", "{}"))

    def feature(self, name: str, raw: bool = True) -> np.ndarray:
        """One column (D) of the hyper-states, before (`raw`) or after scaling."""
        column = self.feature_names.index(name)
        return self.decisions["features_raw" if raw else "state"][:, column]

    def hyperparameter(self, name: str) -> np.ndarray:
        """One hyperparameter (D) after each decision."""
        return self.decisions["hyperparameters"][:, self.hyperparameter_names.index(name)]

    def transitions(self) -> Columns:
        """Real transitions (/env); empty if the run did not log them."""
        with _open(self.path, EPISODE_FORMAT)[0] as file:
            return _columns(file, "env")

    def final_policy(self) -> tuple[Columns, dict[str, Any]]:
        """Arrays and attributes of /final/policy."""
        with _open(self.path, EPISODE_FORMAT)[0] as file:
            if "final/policy" not in file:
                raise FormatError(f"{self.path}: no /final/policy")
            return _columns(file, "final/policy"), _attributes(file["final/policy"])


@dataclass(frozen=True)
class Policy:
    """One sealed version of the hyper-controller."""

    path: Path
    attributes: dict[str, Any]
    stages: Columns
    features: Columns
    heads: dict[str, Columns]
    head_attributes: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, path: PathLike) -> Policy:
        """Read a controller file; raises FormatError as `Episode.read` does."""
        path = Path(path)
        file, attributes = _open(path, POLICY_FORMAT)
        with file:
            _require(path, attributes, ("version",))
            stages = _columns(file, "stages")
            _check_lengths(path, "stages", stages)
            names = list(file["heads"]) if "heads" in file else []
            return cls(
                path=path,
                attributes=attributes,
                stages=stages,
                features=_columns(file, "features"),
                heads={name: _columns(file, f"heads/{name}") for name in names},
                head_attributes={name: _attributes(file[f"heads/{name}"]) for name in names},
            )

    @property
    def version(self) -> int:
        """Number of updates behind this version."""
        return int(self.attributes["version"])


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
            from .population import best_line

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


class Runs(list):
    """Several runs, with shortcuts over all their trials."""

    @property
    def skipped(self) -> list[tuple[Path, str]]:
        """Files that were left out, with the reason."""
        return [item for run in self for item in run.skipped]

    def trials(self, stage: str = "auto") -> list[Episode]:
        """Hyper-episodes that represent the runs (see Run.trials)."""
        return [episode for run in self for episode in run.trials(stage)]

    def groups(self, stage: str = "auto") -> dict[tuple[str, str], list[Episode]]:
        """Trials by (env, method), in order of appearance."""
        result: dict[tuple[str, str], list[Episode]] = {}
        for episode in self.trials(stage):
            result.setdefault((episode.env, episode.method), []).append(episode)
        return result

    def curve(self, column: str = "eval_return_mean", stage: str = "auto"):
        """(steps (T), values (n, T)) of a column of /epochs over the trials that finished."""
        from .curves import learning_curves

        curves = learning_curves(self.trials(stage), column)
        return curves.steps, curves.values

    def schedule(self, bins: int = 40, stage: str = "auto"):
        """Hyperparameter schedules of the trials (see curves.schedules)."""
        from .curves import schedules

        return schedules(self.trials(stage), bins)

    def to_pandas(self, table: str = "epochs"):
        """One pandas DataFrame over all hyper-episodes; `table` is `epochs` or `decisions`."""
        from .export import to_pandas

        return to_pandas(self, table)


def _read_all(directory: Path, name: re.Pattern[str], reader: Any, skipped: list) -> list:
    """All sealed files of a directory; incomplete ones are recorded in `skipped` and warned of."""
    result = []
    for path in sorted(directory.glob("*.h5")) if directory.is_dir() else []:
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
        raise FormatError(f"{path}: no complete hyper-episode under {path / 'episodes'}")
    episodes.sort(key=lambda episode: episode.index)
    policies.sort(key=lambda policy: policy.version)
    return Run(path, episodes, policies, skipped, open_ones)


def _run_directories(path: Path) -> list[Path]:
    """Run directories at or below `path` (a run directory has a directory `episodes`)."""
    if (path / "episodes").is_dir():
        return [path]
    return sorted(found.parent for found in path.rglob("episodes") if found.is_dir())


def load(*paths: PathLike, unfinished: bool = False) -> Runs:
    """Read runs.

    Parameters
    ----------
    paths
        Run directories, directories with run directories somewhere below, glob patterns of
        either (`**` included), or single sealed hyper-episodes.
    unfinished
        Whether hyper-episodes that are not sealed yet are read too (`Run.unfinished`), from
        metrics.jsonl: for looking at a run while it runs.

    Returns
    -------
    Runs
        In order of the arguments, each run once. Files that are not complete, and runs without
        any complete hyper-episode among several, are left out with a SkippedFileWarning.

    Raises
    ------
    FileNotFoundError
        A path or pattern matches nothing.
    FormatError
        There is no run at all.
    """
    directories: dict[Path, None] = {}
    runs = Runs()
    for argument in paths:
        matches = [Path(argument)] if Path(argument).exists() else []
        matches = matches or [Path(m) for m in sorted(glob.glob(str(argument), recursive=True))]
        if not matches:
            raise FileNotFoundError(f"{argument}: no such file or directory")
        for match in matches:
            if match.is_file() and match.suffix == ".h5":
                runs.append(Run(match, [Episode.read(match)]))
            elif match.is_dir():
                directories.update(dict.fromkeys(_run_directories(match)))
    problems = []
    for directory in directories:
        try:
            runs.append(read_run(directory, unfinished))
        except FormatError as error:
            problems.append(str(error))
    if not runs:
        searched = ", ".join(str(path) for path in paths)
        raise FormatError("; ".join(problems) or f"no run directory in {searched}")
    for problem in problems:
        warnings.warn(f"left out {problem}", SkippedFileWarning, stacklevel=2)
    return runs
