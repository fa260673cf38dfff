"""The environment of gymnasium that a task of autombpo stands for."""

from __future__ import annotations

import warnings

import gymnasium

CUT = {"humanoid-truncated": 45}  # numbers of the observation that the task has, the first ones


def gym_name(task: str) -> str:
    """hopper-v4: Hopper-v4; humanoid-truncated: Humanoid-v4; hopper-bullet: HopperBulletEnv-v0."""
    words = [word for word in task.split("-") if word != "paper"]
    name, last = "".join(word.capitalize() for word in words[:-1]), words[-1]
    if last == "bullet":
        return name.replace("2d", "2D") + "BulletEnv-v0"
    return f"{name}-v4" if last == "truncated" else f"{name}-{last}"


class Cut(gymnasium.ObservationWrapper):
    """The first `size` numbers of the observation."""

    def __init__(self, env: gymnasium.Env, size: int):
        super().__init__(env)
        low, high = env.observation_space.low[:size], env.observation_space.high[:size]
        self.observation_space = gymnasium.spaces.Box(low, high, dtype=low.dtype)

    def observation(self, observation):
        return observation[: self.observation_space.shape[0]]


def make(task: str) -> gymnasium.Env:
    warnings.filterwarnings("ignore")
    if "bullet" in task:
        import pybullet_envs_gymnasium  # noqa: F401  registers the tasks
    env = gymnasium.make(gym_name(task), disable_env_checker=True)
    return Cut(env, CUT[task]) if task in CUT else env
