"""Steps of a task in gymnasium (Bullet's tasks: pybullet_envs_gymnasium), with random actions.

Resets are included, as in `autombpo bench env`.
"""

from timing import arguments, measure  # first: it sets the number of threads

import importlib.metadata

import gymnasium
from gym_task import gym_name, make

STEPS = 500  # of one call

args = arguments(task="hopper-v4")
env = make(args.task)
env.reset(seed=1)
env.action_space.seed(1)
actions = [env.action_space.sample() for _ in range(STEPS)]


def run() -> None:
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()


engine = "pybullet" if "bullet" in args.task else "mujoco"
versions = f"gymnasium {gymnasium.__version__}, {engine} {importlib.metadata.version(engine)}"
measure(f"{gym_name(args.task)}, {versions}", args, run, STEPS)
