"""Writes synthetic run directories as docs/formats.md describes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from autombpo_analysis.io import FEATURES, HEAD_SIZES, HEADS, HYPERPARAMETERS, MARK, _checksum

TAU = 125
EPOCH = 1000
EXPLORATION = 5000
REWARD_SCALE = 300.0
SPEC = {
    "observations": 3,
    "actions": 1,
    "action_low": [-2.0],
    "action_high": [2.0],
    "horizon": 1000,
}


@contextmanager
def sealed(path: Path, mode: str = "r+") -> Iterator[h5py.File]:
    """Write or edit a file, and seal it again as it then is."""
    with h5py.File(path, mode) as file:
        yield file
    data = path.read_bytes()
    path.write_bytes(data + MARK + b"%016x\n" % _checksum(data))


def baseline_curve(n_epochs: int) -> np.ndarray:
    """R' at the end of each epoch."""
    return 2000.0 / (1.0 + np.exp(-(np.arange(n_epochs) - 0.45 * n_epochs) / (0.09 * n_epochs)))


def _root(file: h5py.File, kind: str, env: str, method: str, seed: int) -> None:
    config = f"env: {env}\nmethod: {method}\nseed: {seed}\n"
    file.attrs["format"] = f"autombpo.{kind}"
    file.attrs["format_version"] = 1
    file.attrs["env"] = env
    file.attrs["env_engine"] = "plain"
    file.attrs["env_spec"] = json.dumps(SPEC)
    file.attrs["method"] = method
    file.attrs["seed"] = seed
    file.attrs["config"] = config
    file.attrs["config_hash"] = "0123456789abcdef"
    file.attrs["checksum"] = "fedcba9876543210"


def _columns(group: h5py.Group, columns: dict) -> None:
    for name, values in columns.items():
        dataset = group.create_dataset(name, data=values)
        dataset.attrs["unit"] = "1"
        dataset.attrs["long_name"] = name.replace("_", " ")


def _schedule(rng: np.random.Generator, n_epochs: int, skill: float) -> tuple:
    """Actions (D, 4), whether they took effect, and the hyperparameters (D, 4) after them."""
    per_epoch = EPOCH // TAU
    rows = n_epochs * per_epoch
    action = np.zeros((rows, 4), dtype=np.int8)
    effective = np.ones((rows, 4), dtype=bool)
    after = np.zeros((rows, 4))
    beta, updates, length = 0.05, 10.0, 1.0
    for i in range(rows):
        up = 0.34 + 0.05 * skill
        chances = [[0.5 - 0.2 * skill, 0.5 + 0.2 * skill]] + [[0.33, 0.67 - up, up]] * 3
        action[i] = [rng.choice(len(p), p=p) for p in chances]
        if i % per_epoch > 0:  # k is asked once an epoch
            action[i, 3] = -1
            effective[i, 3] = False
        new = min(1.0, beta * 1.2 ** (action[i, 1] - 1.0))
        effective[i, 1] = new != beta or action[i, 1] == 1
        beta = new
        updates = float(np.clip(updates + action[i, 2] - 1, 1, 20))
        if effective[i, 3]:
            length = float(np.clip(length + action[i, 3] - 1, 1, 15))
        after[i] = action[i, 0], beta, updates, length
    return action, effective, after


def _decisions(
    file: h5py.File, rng: np.random.Generator, evals: np.ndarray, skill: float
) -> np.ndarray:
    n_epochs = len(evals)
    per_epoch = EPOCH // TAU
    rows = n_epochs * per_epoch
    action, effective, after = _schedule(rng, n_epochs, skill)
    before = np.vstack([[0.0, 0.05, 10.0, 1.0], after[:-1]])
    progress = np.arange(rows) / rows
    last_eval = np.repeat(np.concatenate([[20.0], evals[:-1]]), per_epoch)
    raw = np.column_stack(
        [
            progress,
            0.2 * np.exp(-3 * progress),
            5.0 * rng.random(rows),
            rng.random(rows),
            last_eval,
            before[:, 1],
            before[:, 2],
            before[:, 3],
        ]
    )
    state = np.clip(raw / [1, 1, 100, 10, 3000, 1, 20, 15], 0, 1)
    is_last = np.arange(rows) % per_epoch == per_epoch - 1
    reward_return = np.where(is_last, np.repeat(evals, per_epoch) / REWARD_SCALE, 0.0)
    baseline = np.where(is_last, np.repeat(baseline_curve(n_epochs), per_epoch) / REWARD_SCALE, 0.0)
    reward_train = np.where(action[:, 0] == 1, -0.05, 0.05)
    reward = reward_return + reward_train
    spread = 1.0 - 0.3 * skill
    group = file.create_group("decisions")
    group.attrs["feature_names"] = ",".join(FEATURES)
    group.attrs["head_names"] = ",".join(HEADS)
    group.attrs["head_sizes"] = np.array(HEAD_SIZES)
    group.attrs["hyperparameter_names"] = ",".join(HYPERPARAMETERS)
    group.attrs["decision_interval"] = TAU
    group.attrs["reward_scale"] = REWARD_SCALE
    _columns(
        group,
        {
            "env_step": EXPLORATION + TAU * np.arange(rows),
            "epoch": (np.arange(rows) // per_epoch).astype(np.int32),
            "step_in_epoch": (TAU * (np.arange(rows) % per_epoch)).astype(np.int32),
            "features_raw": raw,
            "state": state,
            "allowed": np.where(action >= 0, [3, 7, 7, 7], 0).astype(np.uint8),
            "action": action,
            "effective": effective,
            "explored": rng.random(rows) < max(0.0, 0.5 - skill),
            "logp": np.where(action >= 0, -spread * np.log(HEAD_SIZES), np.nan),
            "entropy": np.where(action >= 0, spread * np.log(HEAD_SIZES), np.nan),
            "reward": reward,
            "reward_return": reward_return,
            "reward_train_model": reward_train,
            "baseline": baseline,
            "advantage": np.cumsum((reward - baseline)[::-1])[::-1],
            "hyperparameters": after,
        },
    )
    return after


def _epochs(
    file: h5py.File, rng: np.random.Generator, returns: np.ndarray, after: np.ndarray
) -> None:
    n_epochs = len(returns)
    per_epoch = len(after) // n_epochs
    last = after[per_epoch - 1 :: per_epoch]
    length = np.where(np.arange(n_epochs) <= 20, 1, 1 + (np.arange(n_epochs) - 20) * 14 // 130)
    original = np.column_stack(
        [np.full(n_epochs, 4.0), np.full(n_epochs, 0.05), np.full(n_epochs, 20.0), length]
    )
    trainings = after[:, 0].reshape(n_epochs, per_epoch).sum(axis=1).astype(np.int32)
    holdout = 0.01 + 0.2 * np.exp(-np.arange(n_epochs) / 8)[:, None] * (
        1 + rng.random((n_epochs, 7))
    )
    group = file.create_group("epochs")
    group.attrs["epoch_length"] = EPOCH
    group.attrs["initial_eval_return"] = 20.0
    _columns(
        group,
        {
            "env_step": EXPLORATION + EPOCH * (1 + np.arange(n_epochs)),
            "eval_return_mean": returns.mean(axis=1),
            "eval_return_std": returns.std(axis=1),
            "eval_returns": returns,
            "eval_lengths": np.full(returns.shape, 1000, dtype=np.int32),
            "train_return": 0.9 * returns.mean(axis=1),
            "model_trainings": trainings.astype(np.int64),
            "model_epochs": 20 * trainings.astype(np.int64),
            "model_steps": 4000 * trainings.astype(np.int64),
            "model_validation_loss": np.sort(holdout, axis=1)[:, :5].mean(axis=1),
            "model_holdout_error": holdout,
            "elites": np.argsort(holdout, axis=1)[:, :5].astype(np.int32),
            "critic_loss": 1.0 + rng.random(n_epochs),
            "policy_loss": -returns.mean(axis=1) / 10,
            "alpha": 0.2 * np.exp(-np.arange(n_epochs) / 20),
            "entropy": np.full(n_epochs, 1.0),
            "q_mean": returns.mean(axis=1) / 10,
            "real_ratio": last[:, 1],
            "policy_updates": last[:, 2].astype(np.int64),
            "rollout_length": last[:, 3].astype(np.int64),
            "sac_updates": (EPOCH * last[:, 2]).astype(np.int64),
            "model_buffer_rows": (400_000 * last[:, 3]).astype(np.int64),
            "baseline_return": baseline_curve(n_epochs),
            "original": original,
        },
    )


def _transitions(file: h5py.File, rng: np.random.Generator, rows: int) -> None:
    ends = np.append(np.arange(100, rows, 100), rows)
    terminated = np.zeros(rows, dtype=bool)
    terminated[ends[:-1] - 1] = True
    truncated = np.zeros(rows, dtype=bool)
    truncated[-1] = True
    group = file.create_group("env")
    group.attrs["count"] = rows
    _columns(
        group,
        {
            "observations": rng.normal(size=(rows, 3)).astype(np.float32),
            "actions": rng.uniform(-2, 2, size=(rows, 1)).astype(np.float32),
            "rewards": rng.random(rows),
            "terminated": terminated,
            "truncated": truncated,
            "episode_ends": ends,
            "final_observations": rng.normal(size=(len(ends), 3)).astype(np.float32),
        },
    )


def write_episode(
    path: Path,
    env: str = "hopper-v2",
    method: str = "autombpo",
    seed: int = 0,
    index: int = 0,
    stage: int = 0,
    version: int = 0,
    n_epochs: int = 50,
    skill: float = 0.5,
    status: str = "finished",
    complete: bool = True,
    with_decisions: bool = True,
    transitions: int = 0,
) -> Path:
    """Write one hyper-episode; `skill` (about 0 ... 1) shifts its learning curve upwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, index, sum(map(ord, env + method))])
    half = (0.52 - 0.2 * skill + 0.05 * rng.normal()) * n_epochs
    top = 1700 + 800 * skill + 120 * rng.normal()
    curve = top / (1 + np.exp(-(np.arange(n_epochs) - half) / (0.08 * n_epochs)))
    returns = curve[:, None] * (1 + 0.06 * rng.normal(size=(n_epochs, 10))) + 20
    with sealed(path, "w") as file:
        _root(file, "episode", env, method, seed)
        file.attrs["hyper_episode"] = index
        file.attrs["stage"] = stage
        file.attrs["policy_version"] = version
        file.attrs["status"] = status
        if with_decisions:
            after = _decisions(file, rng, returns.mean(axis=1), skill)
        else:
            after = np.tile([1.0, 0.05, 20.0, 1.0], (4 * n_epochs, 1))
        _epochs(file, rng, returns, after)
        if transitions:
            _transitions(file, rng, transitions)
        policy = file.create_group("final/policy")
        policy.create_dataset("parameters", data=np.zeros(4 * 8 + 8 * 2 + 2, dtype=np.float32))
        policy.attrs["widths"] = np.array([3, 8, 2])
        policy.attrs["activation"] = "relu"
        if complete:
            file.attrs["complete"] = 1
    return path


def write_policy(
    path: Path,
    version: int,
    group: str = "joint",
    stages: dict | None = None,
    seen: np.ndarray | None = None,
) -> Path:
    """Write one version of the controller, with the table of its stages.

    seen: features (rows, F) of the hyper-episodes that it learnt from, or None.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with sealed(path, "w") as file:
        _root(file, "policy", "hopper-v2", "autombpo", 0)
        file.attrs["version"] = version
        file.attrs["stage"] = version
        file.attrs["group"] = group
        file.attrs["active_group"] = 0
        file.attrs["best_version"] = version - 1
        file.attrs["best_score"] = 0.0
        for head, size in zip(HEADS, HEAD_SIZES):
            node = file.create_group(f"heads/{head}")
            for name in ("parameters", "best_parameters", "adam_mean", "adam_variance"):
                node.create_dataset(name, data=np.zeros(8 * 16 + 16 + 16 * size + size))
            node.attrs["adam_step"] = 300 * version
            node.attrs["widths"] = np.array([8, 16, size])
            node.attrs["activation"] = "tanh"
            node.attrs["features"] = ",".join(FEATURES)
            node.attrs["group"] = group
        _columns(file.create_group("stages"), stages or {})
        nothing = np.full((1, len(FEATURES)), np.nan)
        seen = nothing if seen is None or len(seen) == 0 else seen
        ranges = {"trained_low": seen.min(axis=0), "trained_high": seen.max(axis=0)}
        _columns(file.create_group("features"), ranges)
        file["features"].attrs["feature_names"] = ",".join(FEATURES)
        file.attrs["complete"] = 1
    return path


def _write_metrics(path: Path, episodes: int, n_epochs: int) -> None:
    """Seconds count from the start of a process; halfway through each run a new one takes over."""
    each = {"env": 0.4, "model_train": 9.0, "model_rollout": 2.0, "sac": 14.0, "eval": 1.5}
    with (path / "metrics.jsonl").open("w", encoding="utf-8") as file:
        for index in range(episodes):
            for epoch in range(n_epochs):
                age = 1 + (epoch if epoch < n_epochs // 2 else epoch - n_epochs // 2)
                seconds = {part: age * value for part, value in each.items()}
                event = {"time": "2026-01-31T12:00:00Z", "event": "epoch", "hyper_episode": index}
                event.update({"epoch": epoch, "rank": 1 + index % 3, "seconds": seconds})
                file.write(json.dumps(event) + "\n")
        file.write('{"time": "2026-01-31T12:00:00Z", "event": "ep')  # torn by a kill


def stage_rows(path: Path, stages: int, per_stage: int) -> dict:
    """Columns of /stages, from the hyper-episodes of a run."""
    scores = np.empty((stages, per_stage))
    for index in range(stages * per_stage):
        with h5py.File(path / "episodes" / f"{index:06d}.h5") as file:
            scores.flat[index] = np.mean(file["epochs/eval_return_mean"])
            baseline = np.mean(file["epochs/baseline_return"])
    number = np.arange(stages, dtype=np.int32)
    return {
        "stage": number,
        "group": 0 * number,
        "first_episode": per_stage * number,
        "episodes": np.full(stages, per_stage, dtype=np.int32),
        "score": scores.mean(axis=1),
        "score_std": scores.std(axis=1),
        "baseline_score": np.full(stages, baseline if stages else 0.0),
        "advantage_mean": np.zeros(stages),
        "entropy": np.zeros((stages, 4)),
        "exploration": np.zeros(stages),
        "clip_fraction": np.zeros(stages),
        "kl": np.zeros(stages),
    }


def features_seen(path: Path, count: int) -> np.ndarray:
    """Raw features (rows, F) of the first hyper-episodes of a run."""
    rows = [np.empty((0, len(FEATURES)))]
    for index in range(count):
        with h5py.File(path / "episodes" / f"{index:06d}.h5") as file:
            rows.append(file["decisions/features_raw"][()])
    return np.concatenate(rows)


def write_run(
    path: Path,
    env: str = "hopper-v2",
    method: str = "autombpo",
    seed: int = 0,
    stages: int = 1,
    per_stage: int = 1,
    n_epochs: int = 50,
    skill: float = 0.5,
    skill_gain: float = 0.0,
    with_decisions: bool = True,
    transitions: int = 0,
) -> Path:
    """Write a run directory; with several stages, `skill` grows by `skill_gain` a stage."""
    path.mkdir(parents=True, exist_ok=True)
    trains = stages > 1
    for stage in range(stages):
        for i in range(per_stage):
            index = stage * per_stage + i
            write_episode(
                path / "episodes" / f"{index:06d}.h5",
                env,
                method,
                seed,
                index,
                stage,
                version=stage if trains else (0 if with_decisions else -1),
                n_epochs=n_epochs,
                skill=skill + skill_gain * stage,
                with_decisions=with_decisions,
                transitions=transitions,
            )
    for version in range(stages + 1) if trains else ():
        rows = stage_rows(path, version, per_stage)
        seen = features_seen(path, version * per_stage)
        write_policy(path / "policy" / f"v{version:06d}.h5", version, stages=rows, seen=seen)
    (path / "run.yaml").write_text(f"env: {env}\nmethod: {method}\n", encoding="utf-8")
    (path / "status.json").write_text('{"format": "autombpo.status", "v": 1}', encoding="utf-8")
    _write_metrics(path, stages * per_stage, n_epochs)
    (path / "COMPLETE").touch()
    return path


def _planned(method: str, repetition: int, role: str, seed: int, after=()) -> dict:
    return {
        "task": "hopper-small",
        "method": method,
        "repetition": repetition,
        "role": role,
        "set": "test" if role == "test" else "tune",
        "seed": seed,
        "directory": f"hopper-small/{method}/{repetition}/{role}",
        "command": f"autombpo train {method}.yaml run.seed={seed}"
        + (" scheduler.controller=c" if after else ""),
        "after": list(after),
    }


def write_experiment(path: Path, controllers: int = 2, seeds: int = 3) -> Path:
    """Write an experiment: MBPO, and AutoMBPO with some controllers, two stages of two each."""
    planned = [_planned("mbpo", 0, "test", 100)]
    write_run(path / planned[0]["directory"], method="mbpo", seed=100, per_stage=seeds,
              n_epochs=10, skill=0.1, with_decisions=False)  # fmt: skip
    for repetition in range(controllers):
        train = _planned("autombpo", repetition, "train", repetition)
        test = _planned("autombpo", repetition, "test", 100, [len(planned)])
        write_run(path / train["directory"], seed=repetition, stages=2, per_stage=2, n_epochs=4)
        write_run(path / test["directory"], seed=100 + repetition, per_stage=seeds, n_epochs=10,
                  skill=0.6 + 0.1 * repetition)  # fmt: skip
        planned += [train, test]
    manifest = {
        "format": "autombpo.experiment",
        "format_version": 1,
        "name": "figure-2",
        "version": "0.1.0",
        "build_id": "fedcba98",
        "provenance": "synthetic",
        "first_seed": {"tune": 0, "validate": 50, "test": 100},
        "threshold": {"hopper-small": 1000.0, "unknown": None},
        "runs": planned,
    }
    (path / "experiment.json").write_text(json.dumps(manifest), encoding="utf-8")
    return path
