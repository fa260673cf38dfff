"""The whole loop of MBPO in mbrl-lib (PyTorch), for --steps real steps after its exploration.

Its own loop and configuration, but the published networks, temperature and updates for a real step.
Prints no rate but what rates are made of: processor seconds of a SAC update and of a gradient step
of the ensemble (all of the training over its steps: hold-out errors too), and the gradient steps
that a training made until it stopped.
"""

from __future__ import annotations

from timing import GAMMA, RATE, TAU, arguments  # first: it sets the number of threads

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import MagicMock

import gymnasium
import mbrl
import mbrl.env.termination_fns as termination_fns
import mbrl.models
import mbrl.util.common
import numpy as np
import torch
from gym_task import make
from mbrl.algorithms import mbpo
from mbrl.third_party.pytorch_sac_pranz24.sac import SAC
from omegaconf import DictConfig, OmegaConf

args = arguments(task="hopper-v4", steps=1000, exploration=5000)


def actions(low: list[float], high: list[float], shape: list[int]) -> gymnasium.spaces.Box:
    return gymnasium.spaces.Box(np.float32(low), np.float32(high), tuple(shape))


def configuration() -> DictConfig:
    place = Path(mbrl.__file__).parent / "examples/conf"
    cfg = OmegaConf.create({"seed": 0, "device": "cpu", "log_frequency_agent": 10**9})
    cfg.algorithm = OmegaConf.load(place / "algorithm/mbpo.yaml")
    cfg.dynamics_model = OmegaConf.load(place / "dynamics_model/gaussian_mlp_ensemble.yaml")
    cfg.overrides = OmegaConf.load(place / "overrides/mbpo_hopper.yaml")
    cfg.algorithm.agent.action_space._target_ = "__main__.actions"
    cfg.algorithm.initial_exploration_steps = args.exploration
    cfg.algorithm.random_initial_explore = True
    cfg.algorithm.real_data_ratio = 0.05
    cfg.dynamics_model._recursive_ = False
    cfg.dynamics_model.hid_size = args.model_hidden
    cfg.overrides.update(
        epoch_length=args.steps,
        num_steps=args.steps,
        model_batch_size=args.batch,
        num_sac_updates_per_step=20,
        sac_automatic_entropy_tuning=True,
        sac_batch_size=args.batch,
        sac_gamma=GAMMA,
        sac_hidden_size=args.hidden,
        sac_lr=RATE,
        sac_target_entropy=-1,
        sac_target_update_interval=1,
        sac_tau=TAU,
    )
    return cfg


def timed(place: object, name: str) -> Callable:
    """Puts a function in the place of another that also counts its calls and their time."""
    function = getattr(place, name)

    def call(*values, **named):
        start = time.process_time()
        result = function(*values, **named)
        call.seconds += time.process_time() - start
        call.calls += 1
        return result

    call.seconds, call.calls = 0.0, 0
    setattr(place, name, call)
    return call


def ends(task: str) -> Callable:
    name = task.rsplit("-", 1)[0].replace("-", "_")
    return getattr(termination_fns, name, termination_fns.no_termination)


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    np.random.seed(0)
    update = timed(SAC, "update_parameters")
    step = timed(mbrl.models.OneDTransitionRewardModel, "update")
    training = timed(mbrl.util.common, "train_model_and_save_model_and_data")
    mbrl.util.Logger = MagicMock()
    env = make(args.task)
    env.action_space.seed(0)
    env.reset(seed=0)
    with tempfile.TemporaryDirectory() as place:
        mbpo.train(env, make(args.task), ends(args.task), configuration(), True, place)
    line = {
        "peer": "mbrl-lib",
        "precision": args.precision,
        "s_per_sac_update": update.seconds / update.calls,
        "s_per_model_step": training.seconds / step.calls,
        "model_steps_per_training": step.calls / training.calls,
        "sac_updates": update.calls,
        "model_trainings": training.calls,
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
