"""Tables of runs for other libraries, each an optional extra: pandas, polars, Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .io import Columns, Episode
from .run import Run

TABLES = ("epochs", "decisions")

# The libraries of each extra: pip knows them, but not this package, which comes with the program.
LIBRARIES = {"pandas": "pandas", "polars": "polars", "parquet": "pandas pyarrow", "onnx": "onnx",
             "tensorboard": "tensorboard", "minari": "minari gymnasium"}  # fmt: skip


class MissingExtraError(ImportError):
    """An optional library is not installed; the message says how to get it."""


def missing(extra: str, error: ImportError) -> MissingExtraError:
    """The error of a library that is not there, and the extra that brings it."""
    return MissingExtraError(f"{error.name} is needed: pip install {LIBRARIES[extra]}")


def plain(text: str) -> str:
    """A name of letters, digits, - and _ only, as data sets want it."""
    return "".join(c if c.isascii() and c.isalnum() or c in "-_" else "-" for c in text)


def run_name(env: str, method: str, seed: Any, config_hash: str) -> str:
    """A name for what is written of a run: two with the same one have the same bits."""
    return f"{plain(env)}_{plain(method)}_s{seed}_{str(config_hash)[:6]}"


def name_of_run(episode: Episode) -> str:
    """That of a hyper-episode's run."""
    hashed = episode.attributes.get("config_hash", "")
    return run_name(episode.env, episode.method, episode.seed, hashed)


def episode_name(episode: Episode) -> str:
    """That of a hyper-episode."""
    return f"{name_of_run(episode)}_e{episode.index:06d}"


def flat(columns: Columns, names: dict[str, tuple[str, ...]]) -> Columns:
    """Two-dimensional columns split in one column each, `name_part`."""
    result: Columns = {}
    for key, values in columns.items():
        if values.ndim == 1:
            result[key] = values
            continue
        parts = names.get(key, tuple(str(i) for i in range(values.shape[1])))
        for i, part in enumerate(parts):
            result[f"{key}_{part}"] = values[:, i]
    return result


def part_names(episode: Episode) -> dict[str, tuple[str, ...]]:
    """What the parts of two-dimensional columns are called."""
    heads, features = episode.head_names, episode.feature_names
    names = {key: heads for key in ("action", "effective", "logp", "entropy", "allowed")}
    names.update(features_raw=features, state=features)
    names["hyperparameters"] = episode.hyperparameter_names
    names["original"] = ("model_trainings", "real_ratio", "policy_updates", "rollout_length")
    return names


def _joined(parts: list[np.ndarray | None], lengths: list[int]) -> np.ndarray:
    """One column of several tables. Where a table lacks it, its rows are NaN, of integers -1."""
    there = [part for part in parts if part is not None]
    if len(there) == len(parts):
        return np.concatenate(there)
    kind = np.result_type(*there)
    empty = np.nan if kind.kind in "fb" else -1
    kind = np.dtype(float) if kind.kind == "b" else kind
    filled = [np.full(n, empty, kind) if p is None else p.astype(kind)
              for p, n in zip(parts, lengths)]  # fmt: skip
    return np.concatenate(filled)


def tidy(runs: Iterable[Run], table: str = "epochs") -> dict[str, np.ndarray]:
    """One table over all sealed hyper-episodes: a row an epoch or decision, a column a number.

    The columns run, env, method, seed, hyper_episode, stage and status come first.
    """
    if table not in TABLES:
        raise ValueError(f"table {table!r}: expected epochs or decisions")
    tables = []
    for episode, run in ((e, r) for r in runs for e in r.episodes):
        columns = flat(getattr(episode, table), part_names(episode))
        rows = len(next(iter(columns.values()), ()))
        keys: dict[str, Any] = {
            "run": str(run.path),
            "env": episode.env,
            "method": episode.method,
            "seed": episode.seed,
            "hyper_episode": episode.index,
            "stage": episode.stage,
            "status": str(episode.attributes["status"]),
        }
        if rows:
            tables.append({**{key: np.full(rows, v) for key, v in keys.items()}, **columns})
    lengths = [len(t["run"]) for t in tables]
    names = dict.fromkeys(name for t in tables for name in t)
    return {name: _joined([t.get(name) for t in tables], lengths) for name in names}


def to_pandas(runs: Iterable[Run], table: str = "epochs"):
    """One pandas.DataFrame over all hyper-episodes (see tidy)."""
    try:
        import pandas
    except ImportError as error:
        raise missing("pandas", error) from error
    return pandas.DataFrame(tidy(runs, table))


def to_polars(runs: Iterable[Run], table: str = "epochs"):
    """One polars.DataFrame over all hyper-episodes (see tidy)."""
    try:
        import polars
    except ImportError as error:
        raise missing("polars", error) from error
    return polars.DataFrame(tidy(runs, table))


def to_csv(runs: Iterable[Run], directory: Path) -> list[Path]:
    """epochs.csv and decisions.csv."""
    return _written(runs, directory, "csv", lambda frame, path: frame.to_csv(path, index=False))


def to_parquet(runs: Iterable[Run], directory: Path) -> list[Path]:
    """epochs.parquet and decisions.parquet."""
    try:
        import pyarrow  # noqa: F401 (pandas writes through it)
    except ImportError as error:
        raise missing("parquet", error) from error
    return _written(runs, directory, "parquet", lambda frame, path: frame.to_parquet(path))


def _written(runs: Iterable[Run], directory: Path, suffix: str, write: Any) -> list[Path]:
    runs = list(runs)
    paths = []
    for table in TABLES:
        frame = to_pandas(runs, table)
        if len(frame.columns):
            directory.mkdir(parents=True, exist_ok=True)
            paths.append(directory / f"{table}.{suffix}")
            write(frame, paths[-1])
    return paths
