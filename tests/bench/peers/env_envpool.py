"""Steps of a task in EnvPool (C++) with random actions: --envs at a time, on one thread.

Resets are included, as in `autombpo bench env`.
"""

from timing import arguments, measure  # first: it sets the number of threads

import envpool
import numpy as np
from gym_task import gym_name

CALLS = 200  # of its step, in one call of run

args = arguments(task="hopper-v4", envs=1)
name = gym_name(args.task)
options = dict(env_type="gymnasium", num_envs=args.envs, num_threads=1, seed=1)
env = envpool.make(name, **options)
env.reset()
space = env.action_space
shape = (CALLS, args.envs, *space.shape)
actions = np.random.default_rng(1).uniform(space.low, space.high, shape).astype(space.dtype)


def run() -> None:
    for action in actions:
        env.step(action)


versions = f"EnvPool {envpool.__version__}, {args.envs} at a time"
measure(f"{name}, {versions}", args, run, CALLS * args.envs)
