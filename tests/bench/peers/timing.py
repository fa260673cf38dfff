"""What the scripts of the peers share: sizes of the networks, timing, one line of JSON."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable

# One thread, before any library starts its own.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"

# MBPO's published configuration: SAC, and an ensemble of dynamics models with four hidden layers
GAMMA, TAU, RATE = 0.99, 0.005, 3e-4
MEMBERS, ELITES = 7, 5
MODEL_RATE = 1e-3
DECAY = [2.5e-5, 5e-5, 7.5e-5, 7.5e-5, 1e-4]
ROWS = 100_000  # transitions to draw from


def model_widths(args: argparse.Namespace) -> list[int]:
    """Of a dynamics model: to mean and log-variance of the change of state and the reward."""
    return [args.obs + args.act, *[args.model_hidden] * 4, 2 * (args.obs + 1)]


def policy_widths(args: argparse.Namespace) -> list[int]:
    return [args.obs, args.hidden, args.hidden, 2 * args.act]


def critic_widths(args: argparse.Namespace) -> list[int]:
    return [args.obs + args.act, args.hidden, args.hidden, 1]


def arguments(**more: object) -> argparse.Namespace:
    """Sizes of the networks and of the measurement; `more` are options with their defaults."""
    parser = argparse.ArgumentParser()
    sizes = {"obs": 11, "act": 3, "batch": 256, "hidden": 256, "model_hidden": 200, "length": 5}
    options = sizes | {"repeats": 7, "seconds": 0.5, "precision": "float32", "xla": ""} | more
    for name, default in options.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    args = parser.parse_args()
    for flag in args.xla.split():  # read when JAX computes for the first time
        os.environ["XLA_FLAGS"] += f" --xla_cpu_{flag}"
    return args


def measure(peer: str, args: argparse.Namespace, run: Callable[[], None], count: int) -> None:
    """Prints how many per second `run` does, of which one call does `count`.

    Processor time, as `autombpo bench` takes it: what else runs on the machine counts less.
    """
    for _ in range(3):
        run()
    rates = []
    for _ in range(args.repeats):
        start, calls = time.process_time(), 0
        while time.process_time() - start < args.seconds or calls == 0:
            run()
            calls += 1
        rates.append(calls * count / (time.process_time() - start))
    value, spread = statistics.median(rates), max(rates) - min(rates)
    peer += f" ({args.xla})" if args.xla else ""
    line = {"peer": peer, "precision": args.precision, "value": value, "spread": spread / value}
    print(json.dumps(line | {"repeats": args.repeats}))
