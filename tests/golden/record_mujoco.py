#!/usr/bin/env python3
"""Records trajectories of Gymnasium's MuJoCo tasks and of Pendulum-v1, for tests/env/mujoco_parity_test.c and for
'autombpo env replay'.

The committed recordings were made with Python 3.10 (no mujoco 2.2.2 wheel exists for newer ones):

    python3.10 -m venv v
    v/bin/pip install gymnasium==1.0.0 mujoco==2.2.2 numpy==1.26.4 h5py==3.12.1 imageio packaging
    v/bin/python record_mujoco.py --output env/mujoco-2.2.2

and those of 3.2.7, of which v5 and Pendulum are kept, with Python 3.11 and mujoco==3.2.7. For a still newer
MuJoCo (mpi_launch/setup --mujoco VERSION): gymnasium==1.4.0 mujoco==4.0.0 numpy h5py imageio packaging, any
Python; Pusher-v4 does not exist with 3.0.0 and later.

Datasets: qpos0 (E, nq) and qvel0 (E, nv) as given to set_state, obs0 (E, O), ep_start (E + 1);
action (T, A) float64 in the environment's own units, obs (T, O), reward (T), terminated (T).
"""
import argparse
import json
import os
import sys
import warnings

import gymnasium
import h5py
import mujoco
import numpy as np

TASKS = ("InvertedPendulum InvertedDoublePendulum Hopper Walker2d HalfCheetah Swimmer Ant Humanoid"
         " HumanoidStandup Reacher Pusher").split()


def watch_start_states(env):
    """Keeps what reset gives to set_state: MuJoCo may normalise quaternions in place afterwards."""
    start = {}
    if not hasattr(env, "set_state"):
        return start
    original = env.set_state

    def set_state(qpos, qvel):
        start["qpos0"], start["qvel0"] = np.array(qpos), np.array(qvel)
        original(qpos, qvel)

    env.set_state = set_state
    return start


def actions(rng, low, high, count):
    """A noisy sine a joint, with another amplitude and frequency in every episode."""
    size = len(low)
    phase, frequency = rng.uniform(0, 2 * np.pi, size), rng.uniform(0.05, 0.6, size)
    amplitude = rng.uniform(0.1, 1.2)
    for t in range(count):
        wave = amplitude * (np.sin(phase + frequency * t) + 0.3 * rng.standard_normal(size))
        yield low + (high - low) * (wave + 1) / 2


def record(name, steps, episode_steps, seed):
    task = gymnasium.make(name, disable_env_checker=True)
    env = task.unwrapped
    watched = watch_start_states(env)
    rng = np.random.RandomState(seed)
    low, high = env.action_space.low.astype(float), env.action_space.high.astype(float)
    out = {k: [] for k in "qpos0 qvel0 obs0 action obs reward terminated".split()}
    ep_start = [0]
    while ep_start[-1] < steps:
        obs, _ = task.reset(seed=seed + len(ep_start))
        start = watched or {"qpos0": env.state[:1], "qvel0": env.state[1:]}  # Pendulum-v1
        for key, value in (("obs0", obs), *start.items()):
            out[key].append(np.array(value))
        for act in actions(rng, low, high, min(episode_steps, steps - ep_start[-1])):
            obs, reward, terminated, truncated, _ = task.step(act)
            for key, value in (("action", act), ("obs", obs), ("reward", reward),
                               ("terminated", terminated)):
                out[key].append(np.array(value, np.float64))
            if terminated or truncated:
                break
        ep_start.append(len(out["action"]))
    out["ep_start"] = np.array(ep_start, np.int64)
    return out


def write(path, out, about):
    with h5py.File(path, "w") as file:
        file.attrs["about"] = json.dumps(about)
        for key, value in out.items():
            value = np.array(value)
            if key == "terminated":
                value = value.astype(np.uint8)
            file.create_dataset(key, data=value, compression="gzip", compression_opts=9,
                                shuffle=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", required=True, help="directory")
    parser.add_argument("--task", nargs="*", help="e.g. Hopper-v4; default: all")
    parser.add_argument("--steps", type=int, default=0, help="default: 40 to 120, by size")
    parser.add_argument("--episode-steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    os.makedirs(options.output, exist_ok=True)
    names = ["Pendulum-v1", *(f"{task}-v{v}" for task in TASKS for v in (4, 5))]
    for name in options.task or names:
        large = name.startswith(("Humanoid", "Ant-v5"))
        steps = options.steps or (40 if large else 120)
        episode_steps = options.episode_steps if options.steps else steps // 2
        try:
            out = record(name, steps, episode_steps, options.seed)
        except (ImportError, gymnasium.error.Error) as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
            continue
        write(os.path.join(options.output, name + ".h5"), out,
              {"task": name, "gymnasium": gymnasium.__version__, "mujoco": mujoco.__version__,
               "numpy": np.__version__, "seed": options.seed})
        print(name, len(out["reward"]), "steps", len(out["obs0"]), "episodes")


if __name__ == "__main__":
    main()
