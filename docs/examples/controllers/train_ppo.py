#!/usr/bin/env python3
"""Trains a controller with Stable-Baselines3's PPO on four MBPO runs at once, and applies it.

usage: pip install './analysis[control]' stable-baselines3
       AUTOMBPO=build/autombpo python3 train_ppo.py configs/pendulum-small.yaml
"""

import sys

from autombpo import HyperEnv
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import SubprocVecEnv, VecMonitor


def make_env():
    return HyperEnv(*sys.argv[1:], root="runs/sb3-ppo")


if __name__ == "__main__":
    env, envs = make_env(), VecMonitor(SubprocVecEnv([make_env] * 4))
    length = env.describe()["cutoff"]  # decisions of a hyper-episode
    model = PPO("MlpPolicy", envs, n_steps=length, batch_size=length, gamma=1.0, verbose=1)
    model.learn(10 * 4 * length)  # ten updates, of four hyper-episodes each
    model.save("sb3-ppo.zip")
    envs.close()

    state, _ = env.reset(seed=1000)
    ended = False
    while not ended:
        action, _ = model.predict(state, deterministic=True)
        state, _, ended, _, info = env.step(action)
    print(f"{info['run']}: score {info['score']:.1f}")
    env.close()
