"""SAC gradient updates of Stable-Baselines3 (PyTorch) or SBX (JAX): --library sb3 or sbx."""

from timing import ROWS, arguments, measure  # first: it sets the number of threads

import gymnasium
import numpy as np
from stable_baselines3.common.logger import Logger

UPDATES = 20  # of one call, as MBPO makes them for one real step

args = arguments(library="sb3")


class Sizes(gymnasium.Env):
    """A task that only has spaces."""

    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (args.obs,), np.float32)
    action_space = gymnasium.spaces.Box(-1, 1, (args.act,), np.float32)

    def reset(self, seed=None, options=None):
        return np.zeros(args.obs, np.float32), {}

    def step(self, action):
        return np.zeros(args.obs, np.float32), 0.0, False, False, {}


options = dict(
    batch_size=args.batch,
    buffer_size=ROWS,
    ent_coef="auto",
    policy_kwargs=dict(net_arch=[args.hidden, args.hidden]),
    seed=0,
)
if args.library == "sbx":
    import jax
    import sbx

    model = sbx.SAC("MlpPolicy", Sizes(), gradient_steps=UPDATES, **options)
else:
    import stable_baselines3
    import torch

    torch.set_num_threads(1)
    model = stable_baselines3.SAC("MlpPolicy", Sizes(), device="cpu", **options)

model.set_logger(Logger(folder=None, output_formats=[]))
rng = np.random.default_rng(0)
buffer = model.replay_buffer
for name in ("observations", "next_observations", "rewards"):
    array = getattr(buffer, name)
    array[:] = rng.standard_normal(array.shape)
buffer.actions[:] = rng.uniform(-1, 1, buffer.actions.shape)
buffer.full = True


def run() -> None:
    model.train(gradient_steps=UPDATES, batch_size=args.batch)
    if args.library == "sbx":
        jax.block_until_ready(model.policy.actor_state.params)


measure({"sb3": "Stable-Baselines3", "sbx": "SBX"}[args.library], args, run, UPDATES)
