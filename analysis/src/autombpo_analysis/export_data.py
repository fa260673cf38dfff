"""Transitions as data sets: Minari (of the task, and of the hyper-MDP) and D4RL's flat files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .export import episode_name, missing, name_of_run
from .io import HEAD_SIZES, Columns, Episode
from .run import Run


def _transitions(episode: Episode) -> Columns:
    data = episode.transitions()
    if not data:
        raise ValueError(f"{episode.path}: no /env: run with log.transitions=true")
    return data


def _episode_rows(data: Columns) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of each episode of the task, and the observation (1, O) after its last action."""
    first = 0
    for i, end in enumerate(data["episode_ends"]):
        yield slice(first, int(end)), data["final_observations"][i : i + 1]
        first = int(end)


@contextmanager
def _minari(root: Path) -> Iterator[Any]:
    """Minari with its data sets below `root`, without its questions for authors and links."""
    try:
        import gymnasium  # noqa: F401
        import minari
    except ImportError as error:
        raise missing("minari", error) from error
    before = os.environ.get("MINARI_DATASETS_PATH")
    os.environ["MINARI_DATASETS_PATH"] = os.path.abspath(root)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"minari(\.|$)")
            yield minari
    finally:
        os.environ.pop("MINARI_DATASETS_PATH")
        if before is not None:
            os.environ["MINARI_DATASETS_PATH"] = before


def _create(root: Path, identifier: str, buffers: list, **spaces: Any):
    with _minari(root) as minari:
        if identifier in minari.list_local_datasets():
            raise ValueError(f"{root / identifier} is there already: remove it, or take another -o")
        return minari.create_dataset_from_buffers(identifier, buffers, **spaces)


def to_minari(episode: Episode, root: Path):
    """The real transitions of a hyper-episode as a data set of the task, below `root`.

    Opened with MINARI_DATASETS_PATH=root. No environment has to be registered.
    """
    with _minari(root):
        from gymnasium.spaces import Box
        from minari.data_collector import EpisodeBuffer
    data, spec = _transitions(episode), episode.env_spec
    buffers = [
        EpisodeBuffer(
            id=i,
            observations=np.concatenate([data["observations"][rows], final]),
            actions=data["actions"][rows],
            rewards=list(data["rewards"][rows]),
            terminations=list(data["terminated"][rows]),
            truncations=list(data["truncated"][rows]),
        )
        for i, (rows, final) in enumerate(_episode_rows(data))
    ]
    low, high = (np.asarray(spec[key], np.float32) for key in ("action_low", "action_high"))
    return _create(
        root,
        f"autombpo/{episode_name(episode)}-v0",
        buffers,
        observation_space=Box(-np.inf, np.inf, (spec["observations"],), np.float32),
        action_space=Box(low, high, dtype=np.float32),
        algorithm_name=episode.method,
        description=f"Real samples of {episode.env}, {episode.method}, seed {episode.seed}, "
        f"hyper-episode {episode.index}.",
    )


INFOS = ("logp", "effective", "explored", "allowed", "baseline", "advantage", "hyperparameters",
         "env_step")  # fmt: skip


def _hyper_buffer(buffer: Any, episode: Episode, number: int) -> Any:
    """A hyper-episode. Its last state has none after it, so it is there twice."""
    d = episode.decisions
    ended = np.arange(episode.n_decisions) == episode.n_decisions - 1
    return buffer(
        id=number,
        seed=episode.seed,
        observations=np.concatenate([d["state"], d["state"][-1:]]).astype(np.float64),
        actions=d["action"].astype(np.int64),
        rewards=list(d["reward"]),
        terminations=list(ended & episode.diverged),
        truncations=list(ended & (not episode.diverged)),
        infos={key: np.concatenate([d[key], d[key][-1:]]) for key in INFOS if key in d},
    )


def hyper_data_set(episodes: Sequence[Episode], name: str, root: Path):
    """Hyper-episodes with decisions as a data set of the hyper-MDP, below `root`.

    An episode is a hyper-episode. Actions are those of the heads, -1 where a head was not asked.
    """
    with _minari(root):
        from gymnasium.spaces import Box
        from minari.data_collector import EpisodeBuffer
    first = episodes[0]
    heads = np.asarray(first.decision_attributes.get("head_sizes", HEAD_SIZES), np.int64)
    return _create(
        root,
        f"autombpo/{name}_hyper-v0",
        [_hyper_buffer(EpisodeBuffer, e, i) for i, e in enumerate(episodes)],
        observation_space=Box(-1.0, 1.0, (len(first.feature_names),), np.float64),
        action_space=Box(np.full(len(heads), -1), heads - 1, dtype=np.int64),
        algorithm_name=first.method,
        description=f"Decisions on {first.env}: {', '.join(first.head_names)}; states: "
        f"{', '.join(first.feature_names)}. The last state is there twice: none follows it.",
    )


def to_minari_hyper(run: Run, root: Path):
    """The decisions of a run as such a data set; None if it has none."""
    with _minari(root):  # which tells that it is missing, whatever there is to write
        episodes = [e for e in run.episodes if e.n_decisions]
    return hyper_data_set(episodes, name_of_run(episodes[0]), root) if episodes else None


def to_minari_all(runs: Iterable[Run], root: Path) -> list[Path]:
    """Both kinds of data sets of all runs; where no transitions were logged, the decisions only."""
    root.mkdir(parents=True, exist_ok=True)
    made = []
    for run in runs:
        logged = [episode for episode in run.episodes if episode.transitions()]
        made += [to_minari(episode, root) for episode in logged]
        decided = to_minari_hyper(run, root)
        made += [decided] if decided is not None else []
        if not logged:
            warnings.warn(f"{run.path}: no real samples were logged (log.transitions=true), so "
                          "there are only its decisions", stacklevel=2)  # fmt: skip
    if not made:
        raise ValueError("no run has logged transitions (log.transitions=true) or decisions")
    return [root / dataset.spec.dataset_id for dataset in made]


def to_d4rl(runs: Iterable[Run], directory: Path) -> list[Path]:
    """A flat HDF5 file for each hyper-episode with transitions, as D4RL's loaders read them."""
    paths = []
    for episode in (episode for run in runs for episode in run.episodes):
        data = _transitions(episode)
        after = [np.concatenate([data["observations"][rows][1:], final])
                 for rows, final in _episode_rows(data)]  # fmt: skip
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{episode_name(episode)}.hdf5"
        with h5py.File(path, "w") as file:
            file["observations"], file["actions"] = data["observations"], data["actions"]
            file["rewards"] = data["rewards"].astype(np.float32)
            file["terminals"] = data["terminated"].astype(bool)
            file["timeouts"] = data["truncated"].astype(bool)
            file["next_observations"] = np.concatenate(after)
            for key in ("env", "method", "seed", "hyper_episode", "config_hash"):
                file[f"metadata/{key}"] = episode.attributes[key]
        paths.append(path)
    return paths
