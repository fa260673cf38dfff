#!/usr/bin/env python3
"""Steps per second of every task: ours, the engine alone, and the reference in Python.

    env_speed.py --program build/autombpo [TASK ...]

Runs `autombpo env check` and the reference one after the other, for each task, with one core. The
reference is gymnasium for MuJoCo tasks and pybullet_envs_gymnasium for Bullet tasks, whichever can
be imported; to compare on the same libmujoco, build with -DMUJOCO_DIR=.../site-packages/mujoco.
Times are CPU time; random actions, resets included.
"""
import argparse
import re
import subprocess
import time
import warnings

REFERENCE = {
    "inverted-pendulum": "InvertedPendulum", "inverted-double-pendulum": "InvertedDoublePendulum",
    "hopper": "Hopper", "walker2d": "Walker2d", "half-cheetah": "HalfCheetah",
    "swimmer": "Swimmer", "ant": "Ant", "humanoid": "Humanoid",
    "humanoid-standup": "HumanoidStandup", "reacher": "Reacher", "pusher": "Pusher",
    "pendulum": "Pendulum",
}
BULLET = {
    "hopper-bullet": "HopperBulletEnv-v0", "walker2d-bullet": "Walker2DBulletEnv-v0",
    "half-cheetah-bullet": "HalfCheetahBulletEnv-v0",
}


def reference_name(task):
    if task in BULLET:
        import pybullet_envs_gymnasium  # noqa: F401  registers the tasks
        return BULLET[task]
    name, version = task.rsplit("-", 1)
    return f"{REFERENCE[name]}-{version}"


def reference_rate(task, steps, laps):
    """Best of `laps` runs, or None where the reference cannot be made."""
    try:
        import gymnasium
        env = gymnasium.make(reference_name(task), disable_env_checker=True)
    except Exception as error:  # any reason: not installed, other version, no such task
        print(f"# {task}: no reference: {str(error)[:100]}")
        return None
    env.reset(seed=1)
    actions = [env.action_space.sample() for _ in range(1024)]
    best = 0.0
    for _ in range(laps):
        start = time.process_time()
        for t in range(steps):
            _, _, terminated, truncated, _ = env.step(actions[t % 1024])
            if terminated or truncated:
                env.reset()
        best = max(best, steps / (time.process_time() - start))
    return best


def our_rates(program, task):
    text = subprocess.run([program, "env", "check", "--steps", "500", task], check=True,
                          capture_output=True, text=True).stdout
    speed = re.search(r"speed +(\d+) steps/s(?:; the engine alone (\d+))?", text)
    return float(speed[1]), float(speed[2] or "nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--laps", type=int, default=5)
    parser.add_argument("task", nargs="*")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    tasks = options.task or [f"{name}-v5" for name in REFERENCE if name != "pendulum"]
    print(f"{'task':28} {'ours':>8} {'engine':>8} {'reference':>9} {'ours/ref':>8}")
    for task in tasks:
        ours, engine = our_rates(options.program, task)
        reference = reference_rate(task, options.steps, options.laps)
        numbers = (f"{reference:9.0f} {ours / reference:8.2f}" if reference else "")
        print(f"{task:28} {ours:8.0f} {engine:8.0f} {numbers}", flush=True)


if __name__ == "__main__":
    main()
