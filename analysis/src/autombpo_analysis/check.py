"""Checks sealed files against docs/formats.md; returns what is wrong, in words."""

from __future__ import annotations

import numpy as np

from .effects import is_fork
from .io import FEATURES, HEAD_SIZES, HEADS, Episode, Policy
from .run import Run

DECISION_COLUMNS = {
    "env_step": "i",
    "epoch": "i",
    "step_in_epoch": "i",
    "features_raw": "f",
    "state": "f",
    "action": "i",
    "effective": "b",
    "explored": "b",
    "logp": "f",
    "entropy": "f",
    "reward": "f",
    "reward_return": "f",
    "reward_train_model": "f",
    "baseline": "f",
    "advantage": "f",
    "hyperparameters": "f",
}
EPOCH_COLUMNS = {
    "env_step": "i",
    "eval_return_mean": "f",
    "eval_return_std": "f",
    "eval_returns": "f",
    "eval_lengths": "i",
    "train_return": "f",
    "model_trainings": "i",
    "model_epochs": "i",
    "model_steps": "i",
    "model_validation_loss": "f",
    "model_holdout_error": "f",
    "elites": "i",
    "critic_loss": "f",
    "policy_loss": "f",
    "alpha": "f",
    "entropy": "f",
    "q_mean": "f",
    "real_ratio": "f",
    "policy_updates": "i",
    "rollout_length": "i",
    "sac_updates": "i",
    "model_buffer_rows": "i",
    "baseline_return": "f",
    "original": "f",
}
HOST_DEPENDENT = ("created_utc", "created", "hostname", "host", "rank", "pid", "argv", "git",
                  "revision", "directory", "path")  # fmt: skip
KINDS = {"i": "iu", "f": "f", "b": "b"}


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    # Sums of at most some thousand terms in float64: 1e-9 relative is far above rounding.
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True))


def _columns(group: str, columns: dict, expected: dict[str, str]) -> list[str]:
    problems = []
    for name, kind in expected.items():
        if name not in columns:
            problems.append(f"/{group}/{name} is missing")
        elif columns[name].dtype.kind not in KINDS[kind]:
            problems.append(f"/{group}/{name} has type {columns[name].dtype}, expected {kind}")
    return problems


def _rewards(episode: Episode) -> list[str]:
    d = episode.decisions
    problems = []
    if not _close(d["reward"], d["reward_return"] + d["reward_train_model"]):
        problems.append("/decisions: reward is not reward_return + reward_train_model")
    to_go = np.cumsum((d["reward"] - d["baseline"])[::-1])[::-1]
    if not _close(d["advantage"], to_go):
        problems.append("/decisions: advantage is not the sum of reward - baseline to go (eq. 9)")
    ends = np.append(np.diff(d["epoch"]) > 0, True)
    if (d["reward_return"][~ends] != 0).any() or (d["baseline"][~ends] != 0).any():
        problems.append("/decisions: return or baseline before the last decision of an epoch")
    scale = episode.decision_attributes.get("reward_scale")
    if scale and not episode.diverged and ends.sum() == episode.n_epochs:
        expected = episode.epochs["eval_return_mean"] / scale
        if not _close(d["reward_return"][ends], expected):
            problems.append("/decisions: reward_return is not eval_return_mean / reward_scale")
    return problems


def _actions(episode: Episode) -> list[str]:
    d = episode.decisions
    problems = []
    sizes = np.asarray(episode.decision_attributes.get("head_sizes", (2, 3, 3, 3)))
    asked = d["action"] >= 0
    if (d["action"] < -1).any() or (d["action"] >= sizes).any():
        problems.append("/decisions/action: outside -1 ... size of the head - 1")
    allowed = d.get("allowed", np.where(asked, [3, 7, 7, 7], 0))  # not in files of version 0.1
    if (d["effective"] & (allowed == 0)).any():
        problems.append("/decisions: effective although the head was not asked")
    chosen = allowed >> np.maximum(d["action"], 0) & 1
    given = ~asked & d["effective"]  # by a schedule, instead of chosen
    if np.where(asked, chosen != 1, (allowed != 0) & ~given).any():
        problems.append("/decisions/action: not one of those allowed")
    imposed = asked & is_fork(episode)  # a choice that nobody drew has no probability
    for name in ("logp", "entropy"):
        if ((np.isfinite(d[name]) != asked) & ~imposed).any():
            problems.append(f"/decisions/{name}: must be NaN exactly where no head was asked")
    if (d["logp"][asked & np.isfinite(d["logp"])] > 1e-12).any():
        problems.append("/decisions/logp: a probability above 1")
    if (np.diff(d["env_step"]) <= 0).any():
        problems.append("/decisions/env_step: does not increase")
    progress = episode.feature("progress")
    if (progress < 0).any() or (progress > 1).any():
        problems.append("/decisions/features_raw: progress outside [0, 1]")
    if (np.abs(d["state"]) > 1).any():
        problems.append("/decisions/state: outside [-1, 1]")
    return problems


def _epochs(episode: Episode) -> list[str]:
    e = episode.epochs
    problems = []
    if not _close(e["eval_return_mean"], e["eval_returns"].mean(axis=1)):
        problems.append("/epochs: eval_return_mean is not the mean of eval_returns")
    if not _close(e["eval_return_std"], e["eval_returns"].std(axis=1)):
        problems.append("/epochs: eval_return_std is not the deviation of eval_returns")
    if (np.diff(e["env_step"]) <= 0).any():
        problems.append("/epochs/env_step: does not increase")
    return problems


def check_episode(episode: Episode) -> list[str]:
    """Problems of one hyper-episode; an empty list if it is as documented."""
    problems = _columns("epochs", episode.epochs, EPOCH_COLUMNS)
    if episode.n_decisions:
        problems += _columns("decisions", episode.decisions, DECISION_COLUMNS)
    for name in HOST_DEPENDENT:
        if name in episode.attributes:
            problems.append(f"root attribute {name} depends on the host")
    if problems:
        return problems
    if episode.n_decisions:
        problems += _actions(episode) + _rewards(episode)
    return problems + _epochs(episode)


STAGE_COLUMNS = {
    "stage": "i",
    "group": "i",
    "first_episode": "i",
    "episodes": "i",
    "score": "f",
    "score_std": "f",
    "baseline_score": "f",
    "advantage_mean": "f",
    "entropy": "f",
    "exploration": "f",
    "clip_fraction": "f",
    "kl": "f",
}


def _networks(policy: Policy) -> list[str]:
    problems = []
    for name, columns in policy.heads.items():
        attributes = policy.head_attributes[name]
        widths = np.asarray(attributes.get("widths", []), dtype=int)
        inputs = str(attributes.get("features", "")).split(",")
        if name not in HEADS or len(widths) < 2 or widths[0] != len(inputs):
            problems.append(f"/heads/{name}: unknown head, or widths do not fit its features")
            continue
        if widths[-1] != HEAD_SIZES[HEADS.index(name)]:
            problems.append(f"/heads/{name}: {widths[-1]} outputs for its choices")
        expected = int((widths[:-1] * widths[1:] + widths[1:]).sum())
        for column in ("parameters", "best_parameters", "adam_mean", "adam_variance"):
            if len(columns.get(column, ())) != expected:
                problems.append(f"/heads/{name}/{column}: not {expected} numbers, as widths say")
    return problems


def _stages(policy: Policy, run: Run) -> list[str]:
    table = policy.stages
    problems = _columns("stages", table, STAGE_COLUMNS)
    if problems:
        return problems
    if len(table["stage"]) != policy.version:
        problems.append(f"/stages: {len(table['stage'])} rows, expected {policy.version}")
    known = {episode.index: episode for episode in run.episodes}
    for row, first in enumerate(table["first_episode"]):
        episodes = [known.get(i) for i in range(first, first + table["episodes"][row])]
        if any(episode is None or episode.diverged for episode in episodes):
            continue
        scores = np.array([episode.score for episode in episodes])
        if not _close(table["score"][row], scores.mean()):
            problems.append(f"/stages/score: row {row} is not the mean of its hyper-episodes")
        if not _close(table["score_std"][row], scores.std()):
            problems.append(f"/stages/score_std: row {row} is not the deviation over them")
    return problems


def _ranges(policy: Policy, run: Run) -> list[str]:
    """What a controller has seen is what its hyper-episodes hold; earlier programs did not say it."""
    table = policy.stages
    count = int((table["first_episode"] + table["episodes"]).max(initial=0))
    folded = [episode for episode in run.episodes if episode.index < count]
    if not policy.features or len(folded) < count:
        return []
    raw = [np.full((1, len(FEATURES)), np.nan)]  # which fmin and fmax pass over
    raw += [e.decisions["features_raw"] for e in folded if e.n_decisions]
    seen = np.concatenate(raw)
    seen[~np.isfinite(seen)] = np.nan
    return [
        f"/features/{name}: not that of its {count} hyper-episodes"
        for name, extreme in (("trained_low", np.fmin), ("trained_high", np.fmax))
        if not np.array_equal(policy.features.get(name), extreme.reduce(seen), equal_nan=True)
    ]


def check_policies(run: Run) -> list[str]:
    """Problems of the controllers of a run, each with its path."""
    problems = []
    for expected, policy in enumerate(run.policies):
        found = _networks(policy) + _stages(policy, run) + _ranges(policy, run)
        if policy.version != expected:
            found.append(f"version {policy.version}, expected {expected}")
        problems += [f"{policy.path}: {problem}" for problem in found]
    return problems
