"""Exports through other libraries, each an optional extra."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .io import Columns, Episode
from .run import Run


class MissingExtraError(ImportError):
    """An optional library is not installed; the message says how to get it."""


def _missing(extra: str, error: ImportError) -> MissingExtraError:
    return MissingExtraError(f"{error.name} is needed: pip install 'autombpo-analysis[{extra}]'")


def _flat(columns: Columns, names: dict[str, tuple[str, ...]]) -> Columns:
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


def _part_names(episode: Episode) -> dict[str, tuple[str, ...]]:
    heads, features = episode.head_names, episode.feature_names
    names = {key: heads for key in ("action", "effective", "logp", "entropy")}
    names.update(features_raw=features, state=features)
    names["hyperparameters"] = episode.hyperparameter_names
    names["original"] = ("model_trainings", "real_ratio", "policy_updates", "rollout_length")
    return names


def to_pandas(runs: Iterable[Run], table: str = "epochs"):
    """One DataFrame over all hyper-episodes of `runs`.

    `table` is `epochs` or `decisions`; the columns run, env, method, seed, hyper_episode, stage
    and status come first.
    """
    try:
        import pandas
    except ImportError as error:
        raise _missing("pandas", error) from error
    if table not in ("epochs", "decisions"):
        raise ValueError(f"table {table!r}: expected epochs or decisions")
    frames = []
    for run in runs:
        for episode in run.episodes:
            columns = getattr(episode, table)
            if not columns:
                continue
            keys = {
                "run": str(run.path),
                "env": episode.env,
                "method": episode.method,
                "seed": episode.seed,
                "hyper_episode": episode.index,
                "stage": episode.stage,
                "status": episode.attributes["status"],
            }
            frame = pandas.DataFrame(_flat(columns, _part_names(episode)))
            for place, (key, value) in enumerate(keys.items()):
                frame.insert(place, key, value)
            frames.append(frame)
    return pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()


def to_tensorboard(runs: Iterable[Run], directory: Path) -> list[Path]:
    """TensorBoard event files: one directory a hyper-episode, x = real samples."""
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise _missing("tensorboard", error) from error
    written = []
    for run in runs:
        for episode in run.episodes:
            name = f"{episode.env}_{episode.method}_s{episode.seed}_e{episode.index:06d}"
            target = Path(directory) / name
            writer = EventFileWriter(str(target))
            for tag, step, value in _scalars(episode):
                summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.add_event(Event(wall_time=0.0, step=step, summary=summary))
            writer.close()
            written.append(target)
    return written


def _scalars(episode: Episode) -> Iterable[tuple[str, int, float]]:
    names = _part_names(episode)
    tables = (("epoch", episode.epochs), ("hyper", episode.decisions))
    for group, columns in tables:
        steps = columns.get("env_step")
        for key, values in _flat(columns, names).items():
            if key == "env_step" or key.startswith(("eval_returns_", "eval_lengths_")):
                continue
            for step, value in zip(steps, values):
                if np.isfinite(value):
                    yield f"{group}/{key}", int(step), float(value)


def _minari_buffers(episode: Episode) -> list[Any]:
    """Episodes of the target MDP as Minari's buffers."""
    from minari.data_collector import EpisodeBuffer

    data = episode.transitions()
    if not data:
        raise ValueError(f"{episode.path}: no /env: run with log.transitions=true")
    buffers = []
    first = 0
    for i, end in enumerate(data["episode_ends"]):
        rows = slice(first, int(end))
        final = data["final_observations"][i : i + 1]
        buffers.append(
            EpisodeBuffer(
                id=i,
                observations=np.concatenate([data["observations"][rows], final]),
                actions=data["actions"][rows],
                rewards=list(data["rewards"][rows]),
                terminations=list(data["terminated"][rows]),
                truncations=list(data["truncated"][rows]),
            )
        )
        first = int(end)
    return buffers


def to_minari(episode: Episode, dataset_id: str):
    """Store the real transitions of a hyper-episode as a Minari dataset and return it.

    Written by Minari itself, below MINARI_DATASETS_PATH; no environment has to be registered.
    """
    try:
        import gymnasium
        import minari
    except ImportError as error:
        raise _missing("minari", error) from error
    spec = episode.env_spec
    unbounded = np.full(spec["observations"], np.inf, dtype=np.float32)
    return minari.create_dataset_from_buffers(
        dataset_id=dataset_id,
        buffer=_minari_buffers(episode),
        observation_space=gymnasium.spaces.Box(-unbounded, unbounded, dtype=np.float32),
        action_space=gymnasium.spaces.Box(
            np.asarray(spec["action_low"], dtype=np.float32),
            np.asarray(spec["action_high"], dtype=np.float32),
            dtype=np.float32,
        ),
        algorithm_name=episode.method,
        description=f"Real samples of {episode.env}, {episode.method}, seed {episode.seed}, "
        f"hyper-episode {episode.index}.",
    )
