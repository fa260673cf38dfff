#!/usr/bin/env python3
"""Records trajectories of PyBullet's locomotion tasks, for tests/env/bullet_parity_test.c and for
'autombpo env replay'.

The committed recordings were made with Python 3.11 (any of 3.8 ... 3.11 has the wheels):

    python3.11 -m venv v
    v/bin/pip install setuptools==65.5.0 wheel==0.38.4 numpy==1.26.4 h5py==3.16.0
    v/bin/pip install --no-build-isolation gym==0.21.0 && v/bin/pip install pybullet==3.2.7
    v/bin/python record_bullet.py --output env

Datasets: jreset (E, A) start angles of the joints, obs0 (E, O), ep_start (E + 1); action (T, A) as
given to step() in float32, obs (T, O), reward (T), done (T), which includes the limit of 1000 steps.
The reward of the first step of a file is not that of later episodes: PyBullet leaves the floor out
of the mean place of the parts until the first reset is over.
"""
import argparse
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")

import gym
import h5py
import numpy as np
import pybullet_envs  # registers the tasks
from importlib.metadata import version

# pybullet_envs imports its own modules as top-level ones.
sys.path.insert(0, os.path.dirname(pybullet_envs.__file__))
from robot_bases import Joint

TASKS = {"HopperBulletEnv-v0": 400, "Walker2DBulletEnv-v0": 260, "HalfCheetahBulletEnv-v0": 160}


def watch_start_joints():
    """Keeps the angles that a reset gives to the joints: its only random part."""
    angles = []
    original = Joint.reset_current_position

    def reset_current_position(self, position, velocity):
        angles.append(float(position))
        original(self, position, velocity)

    Joint.reset_current_position = reset_current_position
    return angles


def actions(rng, size, count):
    """A noisy sine a joint, with another amplitude and frequency in every episode."""
    phase, frequency = rng.uniform(0, 2 * np.pi, size), rng.uniform(0.05, 0.4, size)
    amplitude = rng.uniform(0.1, 1.3)
    for t in range(count):
        wave = np.sin(phase + frequency * t) + 0.3 * rng.standard_normal(size)
        yield (amplitude * wave).astype(np.float32)


def record(name, steps, seed, angles):
    env = gym.make(name)
    env.seed(seed)
    rng = np.random.RandomState(seed)
    out = {k: [] for k in "jreset obs0 action obs reward done".split()}
    ep_start = [0]
    while ep_start[-1] < steps:
        angles.clear()
        out["obs0"].append(np.array(env.reset(), np.float64))
        out["jreset"].append(np.array(angles))
        for act in actions(rng, env.action_space.shape[0], steps - ep_start[-1]):
            obs, reward, done, _ = env.step(act)
            for key, value in (("action", act), ("obs", obs), ("reward", reward), ("done", done)):
                out[key].append(np.array(value, np.float64))
            if done:
                break
        ep_start.append(len(out["action"]))
    out["ep_start"] = np.array(ep_start, np.int64)
    return out


def write(path, out, about):
    with h5py.File(path, "w") as file:
        file.attrs["about"] = json.dumps(about)
        for key, value in out.items():
            value = np.array(value)
            if key == "done":
                value = value.astype(np.uint8)
            file.create_dataset(key, data=value, compression="gzip", compression_opts=9,
                                shuffle=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", required=True, help="directory")
    parser.add_argument("--task", nargs="*", default=list(TASKS), help="e.g. HopperBulletEnv-v0")
    parser.add_argument("--steps", type=int, default=0, help="default: 160 to 400, by size")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.makedirs(options.output, exist_ok=True)
    angles = watch_start_joints()
    for name in options.task:
        out = record(name, options.steps or TASKS[name], options.seed, angles)
        write(os.path.join(options.output, name + ".h5"), out,
              {"task": name, "seed": options.seed,
               **{package: version(package) for package in ("pybullet", "gym", "numpy")}})
        print(name, len(out["reward"]), "steps", len(out["obs0"]), "episodes")


if __name__ == "__main__":
    main()
