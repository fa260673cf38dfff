"""What `autombpo config import` knows of other programs: their keys, defaults and differences.

MBPO: jannerm/mbpo, examples/config and examples/development/base.py. mbrl-lib: facebookresearch,
mbrl/examples/conf and mbrl/algorithms/mbpo.py. SB3: DLR-RM/rl-baselines3-zoo, hyperparams/sac.yml, and
stable-baselines3's SAC. Read in the newest revisions of 2026-11.
"""

from __future__ import annotations

import ast
from pathlib import Path

from .config_import import (
    Entry,
    Import,
    ImportProblem,
    Program,
    epochs,
    evaluate,
    nothing,
    only,
    read_python,
    read_yaml,
    same,
    set_task,
)

# MBPO ---------------------------------------------------------------------------------------------


def _read_mbpo(path: Path, env: str | None) -> list[Entry]:
    entries = [Entry(key, value, f"{path}:{line}") for key, value, line in read_python(path, "params")]
    names = {entry.key for entry in entries}
    for key in ("domain", "kwargs.epoch_length"):
        if key not in names:
            raise ImportProblem(f"{path}: `params` has no '{key}', expected one of MBPO's examples/config")
    return entries


def _mbpo_task(work: Import, entry: Entry) -> None:
    set_task(work, entry, f"{entry.value}-{work.value('task')}")


_MBPO_KWARGS = {
    "epoch_length": same("mbpo.epoch_length"),
    "n_epochs": epochs(),
    "train_every_n_steps": only(1, "policy updates follow each real step"),
    "n_train_repeat": same("mbpo.policy_updates"),
    "n_initial_exploration_steps": same("mbpo.exploration_steps"),
    "eval_render_mode": only(None, "`autombpo play` draws, training does not"),
    "eval_n_episodes": same("mbpo.evaluation_episodes"),
    "eval_deterministic": only(True, "evaluations take the policy's mean action"),
    "discount": same("sac.discount"),
    "tau": same("sac.target_rate"),
    "lr": same("sac.learning_rate"),
    "reward_scale": same("sac.reward_scale"),
    "target_update_interval": same("sac.target_interval"),
    "target_entropy": same("sac.target_entropy"),
    "action_prior": only("uniform", "the policy has no prior"),
    "reparameterize": only(True, "the policy's gradient goes through the action"),
    "store_extra_policy_info": nothing,
    "model_train_freq": same("mbpo.train_interval", "mbpo.rollout_interval"),
    "model_retain_epochs": same("mbpo.retain_epochs"),
    "rollout_batch_size": same("mbpo.rollouts"),
    "rollout_schedule": same("mbpo.rollout_schedule"),
    "deterministic": same("mbpo.mean_predictions"),
    "num_networks": same("model.members"),
    "num_elites": same("model.elites"),
    "hidden_dim": same("model.hidden_size"),
    "real_ratio": same("mbpo.real_ratio"),
    "max_model_t": only(None, "the training of a model ends by itself, not by the clock"),
}

MBPO = Program(
    about="MBPO (jannerm/mbpo)",
    read=_read_mbpo,
    rules={
        "type": only("MBPO", "other algorithms are not here"),
        "universe": only("gym", "tasks are Gymnasium's"),
        "domain": _mbpo_task,
        "task": nothing,
        "log_dir": nothing,  # places: run.dir
        "exp_name": nothing,
        **{f"kwargs.{key}": rule for key, rule in _MBPO_KWARGS.items()},
    },
    defaults={
        "kwargs.lr": 3e-4,
        "kwargs.reward_scale": 1.0,
        "kwargs.target_entropy": "auto",
        "kwargs.discount": 0.99,
        "kwargs.tau": 5e-3,
        "kwargs.target_update_interval": 1,
        "kwargs.deterministic": False,
        "kwargs.model_train_freq": 250,
        "kwargs.num_networks": 7,
        "kwargs.num_elites": 5,
        "kwargs.model_retain_epochs": 20,
        "kwargs.rollout_batch_size": 100e3,
        "kwargs.real_ratio": 0.1,
        "kwargs.rollout_schedule": [20, 100, 1, 1],
        "kwargs.hidden_dim": 200,
        "kwargs.n_initial_exploration_steps": 5000,
        "kwargs.n_train_repeat": 1,
        "kwargs.eval_n_episodes": 10,
    },
    fixed={
        "run.method": "mbpo",
        "scheduler.kind": "fixed",
        "sac.batch_size": 256,
        "sac.hidden_size": 256,
        "sac.hidden_layers": 2,
        "mbpo.env_buffer": 1e6,
        "mbpo.min_pool": 1000,
        "mbpo.max_path_length": 1000,
    },
    differences=("docs/algorithms.md, section 3: all that differs from MBPO's program",),
)

# mbrl-lib -----------------------------------------------------------------------------------------


def _read_mbrl(path: Path, env: str | None) -> list[Entry]:
    """conf/overrides/mbpo_*.yaml, with the files of conf/algorithm and conf/dynamics_model beside it."""
    entries = read_yaml(path)
    names = {entry.key for entry in entries}
    if "env" not in names or "num_sac_updates_per_step" not in names:
        raise ImportProblem(f"{path}: is none of mbrl-lib's conf/overrides/mbpo_*.yaml: "
                            "'env' or 'num_sac_updates_per_step' is missing")  # fmt: skip
    for prefix, name in (("algorithm", "mbpo"), ("dynamics_model", "gaussian_mlp_ensemble")):
        beside = path.parent.parent / prefix / f"{name}.yaml"
        if beside.exists():
            entries += [e for e in read_yaml(beside, prefix + ".")
                        if not str(e.value).startswith(("${", "???"))]  # fmt: skip
    return entries


def _mbrl_task(work: Import, entry: Entry) -> None:
    set_task(work, entry, entry.value.rpartition("___")[2])


def _mbrl_updates(work: Import, entry: Entry) -> None:
    every = int(work.value("sac_updates_every_steps"))
    work.set(entry, mbpo__policy_updates=max(1, round(entry.value / every)))
    if every != 1:
        work.cannot(entry, f"{entry.value} updates after every {every}th real step; here as many an "
                    "equal number after each one")  # fmt: skip


def _mbrl_rollouts(work: Import, entry: Entry) -> None:
    # floats, because a text times a number is a text that takes all memory
    work.set(entry, mbpo__rollouts=float(entry.value) * float(work.value("freq_train_model")))


def _mbrl_temperature(work: Import, entry: Entry) -> None:
    if entry.value:
        entropy = work.value("sac_target_entropy")
        work.set(entry, sac__temperature="auto", sac__initial_alpha=1,
                 sac__target_entropy="auto" if entropy is None else entropy)  # fmt: skip
    else:
        work.set(entry, sac__temperature=work.value("sac_alpha"))


def _mbrl_entropy(work: Import, entry: Entry) -> None:
    """Files without the switch are of the first versions, where the temperature is always learnt."""
    if work.value("sac_automatic_entropy_tuning") is None:
        work.set(entry, sac__temperature="auto", sac__target_entropy=entry.value)


def _mbrl_real_ratio(work: Import, entry: Entry) -> None:
    work.set(entry, mbpo__real_ratio=entry.value)
    if 0 < entry.value < 1:
        work.cannot(entry, "there a batch is real or imagined by chance; here each has this share")


MBRL_LIB = Program(
    about="mbrl-lib (conf/overrides/mbpo_*.yaml)",
    read=_read_mbrl,
    rules={
        "env": _mbrl_task,
        "term_fn": nothing,  # the task's
        "trial_length": same("mbpo.max_path_length"),
        "num_steps": epochs("num_steps", "epoch_length"),
        "epoch_length": same("mbpo.epoch_length"),
        "num_elites": same("model.elites"),
        "patience": lambda work, entry: work.set(entry, model__patience=max(0, entry.value - 1)),
        "num_epochs_train_model": same("model.max_epochs"),
        "model_lr": same("model.learning_rate"),
        "model_wd": lambda work, entry: work.cannot(
            entry, "one coefficient for all layers; here MBPO's own of each, times model.weight_decay"),
        "model_batch_size": same("model.batch_size"),
        "validation_ratio": same("model.holdout_ratio"),
        "freq_train_model": same("mbpo.train_interval", "mbpo.rollout_interval"),
        "effective_model_rollouts_per_step": _mbrl_rollouts,
        "rollout_schedule": same("mbpo.rollout_schedule"),
        "num_sac_updates_per_step": _mbrl_updates,
        "sac_updates_every_steps": nothing,
        "num_epochs_to_retain_sac_buffer": same("mbpo.retain_epochs"),
        "sac_gamma": same("sac.discount"),
        "sac_tau": same("sac.target_rate"),
        "sac_alpha": nothing,
        "sac_target_entropy": _mbrl_entropy,
        "sac_automatic_entropy_tuning": _mbrl_temperature,
        "sac_policy": only("Gaussian", "the policy is a squashed Gaussian"),
        "sac_target_update_interval": same("sac.target_interval"),
        "sac_hidden_size": same("sac.hidden_size"),
        "sac_lr": same("sac.learning_rate"),
        "sac_batch_size": same("sac.batch_size"),
        # of its first versions, whose agent was pytorch_sac
        "sac_critic_lr": same("sac.critic_learning_rate"),
        "sac_actor_lr": same("sac.policy_learning_rate"),
        "sac_alpha_lr": same("sac.alpha_learning_rate"),
        "sac_critic_target_update_frequency": same("sac.target_interval"),
        "sac_actor_update_frequency": same("sac.policy_interval"),
        "sac_hidden_depth": same("sac.hidden_layers"),
        "algorithm.name": only("mbpo", "other algorithms are not here"),
        "algorithm.normalize": only(True, "inputs of the model are always scaled"),
        "algorithm.normalize_double_precision": nothing,
        "algorithm.target_is_delta": only(True, "the model predicts changes"),
        "algorithm.learned_rewards": only(True, "the model predicts rewards"),
        "algorithm.real_data_ratio": _mbrl_real_ratio,
        "algorithm.sac_samples_action": lambda work, entry: work.set(
            entry, mbpo__mean_actions=not entry.value),
        "algorithm.initial_exploration_steps": same("mbpo.exploration_steps"),
        "algorithm.random_initial_explore": only(
            True, "the first real steps are uniformly random, not the untrained policy's"),
        "algorithm.num_eval_episodes": same("mbpo.evaluation_episodes"),
        "algorithm.agent._target_": nothing,
        "algorithm.agent.action_space._target_": nothing,
        "dynamics_model._target_": only("mbrl.models.GaussianMLP", "the model is an ensemble of Gaussians"),
        "dynamics_model.num_layers": same("model.hidden_layers"),
        "dynamics_model.ensemble_size": same("model.members"),
        "dynamics_model.hid_size": same("model.hidden_size"),
        "dynamics_model.deterministic": only(False, "members predict a variance, too"),
        "dynamics_model.propagation_method": only("random_model", "a member is drawn at each step"),
        "dynamics_model.learn_logvar_bounds": only(True, "the bounds of log-variances are learnt"),
        "dynamics_model.activation_fn_cfg._target_": only("torch.nn.SiLU", "the model has swish units"),
    },
    defaults={
        "sac_updates_every_steps": 1,
        "num_elites": 5,
        "patience": 50,
        "algorithm.real_data_ratio": 0.0,
        "algorithm.sac_samples_action": True,
        "algorithm.initial_exploration_steps": 5000,
        "algorithm.random_initial_explore": False,
        "algorithm.num_eval_episodes": 1,
        "dynamics_model.num_layers": 4,
        "dynamics_model.ensemble_size": 7,
        "dynamics_model.hid_size": 200,
        "dynamics_model.learn_logvar_bounds": False,
    },
    fixed={"run.method": "mbpo", "scheduler.kind": "fixed", "sac.hidden_layers": 2},
    differences=(
        "there real steps take the policy's mean action, here a draw",
        "there models are trained and rollouts begin after each interval, here at its first step",
    ),
)

# SB3 ----------------------------------------------------------------------------------------------


def _read_sb3(path: Path, env: str | None) -> list[Entry]:
    entries = read_yaml(path)
    names = sorted({entry.key.split(".")[0] for entry in entries})
    if env is None:
        raise ImportProblem(f"{path}: say which entry with --env NAME: {', '.join(names)}")
    inside = [entry for entry in entries if entry.key.startswith(env + ".")]
    if not inside:
        raise ImportProblem(f"{path}: has no entry {env}, but {', '.join(names)}")
    place = inside[0].place
    return [Entry("env", env, place)] + [
        Entry(entry.key[len(env) + 1 :], entry.value, entry.place) for entry in inside
    ]


def _sb3_learning_rate(work: Import, entry: Entry) -> None:
    falls = str(entry.value).startswith("lin_")
    work.set(entry, sac__learning_rate=float(str(entry.value)[4:] if falls else entry.value))
    if falls:
        work.cannot(entry, "it falls to 0 there; here it stays what it is at the start")


def _sb3_starts(work: Import, entry: Entry) -> None:
    steps = max(1, int(entry.value))
    work.set(entry, mbpo__exploration_steps=steps, mbpo__min_pool=steps)
    if entry.value < 1:
        work.cannot(entry, "at least one real step is uniformly random")


def _sb3_updates(work: Import, entry: Entry) -> None:
    """gradient_steps after train_freq real steps; -1: as many as there were."""
    freq = work.value("train_freq")
    steps = int(entry.value)
    if isinstance(freq, list):
        updates = 1
        work.cannot(work.entries["train_freq"], "updates follow each real step, not an episode")
        if steps > 0:
            work.cannot(entry, "how many there are an episode; here one for each of its steps")
    else:
        updates = max(1, round(steps / freq)) if steps > 0 else 1
        if freq != 1:
            many = steps if steps > 0 else freq
            work.cannot(work.entries["train_freq"], f"{many} updates after every {freq} real steps; "
                        f"here {updates} after each")  # fmt: skip
    work.set(entry, mbpo__policy_updates=updates)


def _sb3_temperature(work: Import, entry: Entry) -> None:
    word, _, start = str(entry.value).partition("_")
    if word == "auto":
        work.set(entry, sac__temperature="auto", sac__initial_alpha=float(start or 1))
    else:
        work.set(entry, sac__temperature=float(entry.value))


def _sb3_policy(work: Import, entry: Entry) -> None:
    try:
        value = entry.value
        words = evaluate(ast.parse(value, mode="eval").body) if isinstance(value, str) else value
    except (ImportProblem, SyntaxError):
        work.cannot(entry, "is no plain value")
        return
    for word, value in (words or {}).items():
        part = Entry(f"policy_kwargs.{word}", value, entry.place)
        if word == "net_arch":
            both = value if isinstance(value, dict) else {"pi": value, "qf": value}
            work.set(part, sac__policy_layers=both["pi"], sac__critic_layers=both["qf"])
        else:
            work.cannot(part, "of policies there are only the widths of hidden layers")


_NO_SDE = "exploration is the policy's own Gaussian, drawn anew at each step"

SB3 = Program(
    about="RL Zoo for Stable-Baselines3 (hyperparams/sac.yml; --env says which entry)",
    read=_read_sb3,
    rules={
        "env": lambda work, entry: set_task(work, entry, entry.value),
        "n_timesteps": epochs("n_timesteps"),
        "policy": only("MlpPolicy", "the policy is a fully connected network"),
        "learning_rate": _sb3_learning_rate,
        "buffer_size": same("mbpo.env_buffer"),
        "batch_size": same("sac.batch_size"),
        "gamma": same("sac.discount"),
        "tau": same("sac.target_rate"),
        "learning_starts": _sb3_starts,
        "train_freq": nothing,
        "gradient_steps": _sb3_updates,
        "ent_coef": _sb3_temperature,
        "target_entropy": same("sac.target_entropy"),
        "target_update_interval": same("sac.target_interval"),
        "policy_kwargs": _sb3_policy,
        "use_sde": only(False, _NO_SDE),
        "use_sde_at_warmup": only(False, _NO_SDE),
        "sde_sample_freq": only(-1, _NO_SDE),
        "normalize": only(False, "observations and rewards are not scaled for SAC"),
        "n_envs": only(1, "there is one environment; other seeds are other ranks' (seeds=0..9)"),
        "frame_stack": only(1, "observations are the task's own"),
    },
    defaults={
        "learning_rate": 3e-4,
        "buffer_size": 1e6,
        "learning_starts": 100,
        "batch_size": 256,
        "tau": 0.005,
        "gamma": 0.99,
        "train_freq": 1,
        "gradient_steps": 1,
        "ent_coef": "auto",
        "target_entropy": "auto",
        "target_update_interval": 1,
    },
    fixed={
        "run.method": "sac",
        "scheduler.kind": "fixed",
        "sac.hidden_size": 256,
        "sac.hidden_layers": 2,
        "mbpo.real_ratio": 1,
        "mbpo.epoch_length": 1000,
    },
    differences=("whole episodes enter the buffer, when they end",),
)

PROGRAMS = {"mbpo": MBPO, "mbrl-lib": MBRL_LIB, "sb3": SB3}
