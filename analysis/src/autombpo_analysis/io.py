"""Reading sealed files (docs/formats.md, format version 1)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import h5py
import numpy as np

from .pack import read_sealed

FORMAT_VERSION = 1
EPISODE_FORMAT = "autombpo.episode"
POLICY_FORMAT = "autombpo.policy"

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


def _seal_problem(data: bytes) -> str | None:
    """Why the bytes of a file are not known to be those that were sealed; None if they are."""
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
        data = read_sealed(path)
        problem = _seal_problem(data)
        if problem is not None:
            raise FormatError(f"{path}: {problem}")
        file = h5py.File(io.BytesIO(data), "r")
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
