"""Imaginary transitions of mbrl-lib (PyTorch): its MBPO's rollout, from states of its buffer."""

from timing import GAMMA, RATE, TAU, arguments, measure  # first: it sets the number of threads

from types import SimpleNamespace

import gymnasium
import mbrl.env.termination_fns
import mbrl.models
import mbrl.util
import numpy as np
import torch
from mbrl.algorithms.mbpo import rollout_model_and_populate_sac_buffer
from mbrl.planning.sac_wrapper import SACAgent
from mbrl.third_party.pytorch_sac_pranz24.sac import SAC
from mbrl_model import make_model, make_transitions

BRANCHES = 2000  # at a time: the activations stay in the second-level cache
ROWS = 10_000

args = arguments()


def make_agent(actions: gymnasium.spaces.Box) -> SACAgent:
    options = SimpleNamespace(
        gamma=GAMMA,
        tau=TAU,
        alpha=0.2,
        policy="Gaussian",
        target_update_interval=1,
        automatic_entropy_tuning=True,
        target_entropy=-args.act,
        device="cpu",
        hidden_size=args.hidden,
        lr=RATE,
    )
    return SACAgent(SAC(args.obs, actions, options))


def never_ended(act: torch.Tensor, obs: torch.Tensor) -> torch.Tensor:
    """The test of Hopper, with no as its answer, so that each call makes as many transitions."""
    return mbrl.env.termination_fns.hopper(act, obs) & False


def make_buffer() -> mbrl.util.ReplayBuffer:
    kinds = dict(obs_type=np.double, action_type=np.double, reward_type=np.double)
    buffer = mbrl.util.ReplayBuffer(ROWS, (args.obs,), (args.act,), **kinds)
    buffer.add_batch(*make_transitions(args, ROWS).astuple())
    return buffer


observations = gymnasium.spaces.Box(-np.inf, np.inf, (args.obs,), np.float32)
actions = gymnasium.spaces.Box(-1, 1, (args.act,), np.float32)
spaces = SimpleNamespace(observation_space=observations, action_space=actions)
model, buffer, agent = make_model(args), make_buffer(), make_agent(actions)
model.update_normalizer(buffer.get_all())
imagined = mbrl.util.ReplayBuffer(BRANCHES * args.length, (args.obs,), (args.act,))
model_env = mbrl.models.ModelEnv(spaces, model, never_ended, None, generator=torch.Generator())


def run() -> None:
    rollout_model_and_populate_sac_buffer(
        model_env, buffer, agent, imagined, True, args.length, BRANCHES
    )


measure("mbrl-lib", args, run, BRANCHES * args.length)
