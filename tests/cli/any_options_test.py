#!/usr/bin/env python3
"""No option, and no combination of options, ends the program but by words.

Draws configurations from the program's own table of options: values at and beside their bounds, and
between them; a few options or all. Each is either refused with code 2 and a sentence that names an
option, or accepted, with a plan; small ones that are accepted are run, and inspected. Draw i of a seed
is always the same one.

usage: any_options_test.py PROGRAM SOURCE_DIR [--draws N] [--runs N] [--seed N] [--first I]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Of texts (places of files, names) only these are drawn; how long a run lasts is not.
TEXTS = {"env.id", "ppo.groups", "fork.choices"}
GIVEN = {"run.max_wall", "run.term_grace", "log.quiet"}
HEADS = ["train_model", "real_ratio", "policy_updates", "rollout_length"]
CHOICES = ["train_model=skip", "train_model=train", "real_ratio=down", "policy_updates=up",
           "rollout_length=keep", "rollout_length=up"]  # fmt: skip
TASKS = ["pendulum-v1", "inverted-pendulum-v4", "inverted-double-pendulum-v4", "hopper-v4",
         "swimmer-v4", "hopper-bullet", "humanoid-v4"]  # fmt: skip


class Options:
    """The table, and the values of tests/mpi/tiny.yaml, with which a run takes no time."""

    def __init__(self, program: str, source: str):
        self.program = program
        self.tiny = f"{source}/tests/mpi/tiny.yaml"
        self.bases = [[], [self.tiny], ["hopper.yaml", "methods/mbpo.yaml"],
                      ["humanoid-truncated.yaml", "methods/autombpo_staged.yaml"]]  # fmt: skip
        rows = json.loads(self.call(["config", "keys", "--json"]).stdout)
        self.rows = [row for row in rows if row["key"] in TEXTS or
                     (row["range"] != "any text" and row["key"] not in GIVEN)]  # fmt: skip
        self.keys = [row["key"] for row in rows]
        self.kind = next(row for row in rows if row["key"] == "scheduler.kind")
        shown = self.call(["config", "show", self.tiny]).stdout
        section, self.small = "", {}
        for line in shown.splitlines():
            if match := re.match(r"(\w+):$", line):
                section = match[1]
            elif match := re.match(r"  (\w+): (\S+)", line):
                self.small[f"{section}.{match[1]}"] = match[2]

    def call(self, arguments: list[str], timeout: float = 1200) -> subprocess.CompletedProcess:
        return subprocess.run([self.program, *arguments], capture_output=True, text=True,
                              timeout=timeout)  # fmt: skip

    def number(self, rng: random.Random, row: dict, small: bool) -> str:
        low, high = row["min"], row["max"]
        whole = "integer" in row["range"]
        usual = self.small[row["key"]]
        if small and re.fullmatch(r"[\d.e-]+", usual):
            high = min(high, 4 * max(abs(float(usual)), 1))
        value = rng.choice([
            low, high, low + 1, high - 1, rng.uniform(low, high),
            max(low, 1e-12) * math.exp(rng.random() * math.log(max(high, 1) / max(low, 1e-12))),
        ])  # fmt: skip
        value = min(max(value, low), high)
        return str(int(value)) if whole else repr(float(value))

    def value(self, rng: random.Random, row: dict, small: bool) -> str:
        kind = row["range"].split()[0]
        if row["key"] == "env.id":
            return rng.choice(TASKS)
        if row["key"] == "ppo.groups":
            heads = rng.sample(HEADS, rng.randint(0, 4))
            return "".join(head + rng.choice("+,") for head in heads)[:-1]
        if row["key"] == "fork.choices":
            return ",".join(rng.sample(CHOICES, rng.randint(0, 3)))
        if kind == "auto" and rng.random() < 0.5:
            return "auto"
        if "words" in row:
            return rng.choice(row["words"].split("|"))
        if kind == "flag":
            return rng.choice(["true", "false"])
        if kind == "list":
            count = rng.choice([0, 1, 2, 2, 4, 4, 16])
            if row["unit"] == "units":  # whole, and few of them where it is to run
                return str([int(float(self.number(rng, row, small))) for _ in range(min(count, 4))])
            return str([float(self.number(rng, row, small)) for _ in range(count)])
        return self.number(rng, row, small)

    def draw(self, seed: str, small: bool) -> list[str]:
        rng = random.Random(seed)
        count = rng.choice([1, 2, 3, 5, 10, 10 if small else len(self.rows)])
        rows = rng.sample(self.rows, count)
        if rng.random() < 0.7:  # every kind of scheduler often enough
            rows.append(self.kind)
        base = [self.tiny] if small else rng.choice(self.bases)
        return [*base, *(f"{row['key']}={self.value(rng, row, small)}" for row in rows)]

    def in_words(self, result: subprocess.CompletedProcess, codes: set[int], what: str) -> None:
        said = result.stderr
        named = result.returncode != 2 or any(key in said for key in self.keys)
        if result.returncode not in codes or not named or re.search(r"\.c:\d+:", said):
            raise AssertionError(f"{what}\nexit code {result.returncode}\n{said}")

    def check(self, seed: str) -> bool:
        """Whether a configuration is accepted."""
        operands = self.draw(seed, small=False)
        result = self.call(["config", "check", "--plan", *operands])
        self.in_words(result, {0, 2}, f"draw {seed}: autombpo config check --plan {operands}")
        return result.returncode == 0

    def run(self, seed: str) -> str:
        """What became of a small one: refused, ran, or was too slow for a test."""
        directory = f"run-{seed}"
        operands = [*self.draw(seed, small=True), "scheduler.controller=trained",
                    "scheduler.schedule=schedule.csv", "scheduler.transfer=true",
                    "scheduler.trained_seeds=true",
                    "run.max_wall=1", f"run.dir={directory}"]  # fmt: skip
        task = next((o[len("env.id="):] for o in operands if o.startswith("env.id=")), None)
        operands.append(f"scheduler.baseline={task or 'inverted-pendulum-v4'}.yaml")
        what = f"draw {seed}: autombpo train {operands}"
        try:
            result = self.call(["train", "-q", *operands], timeout=100)
        except subprocess.TimeoutExpired:
            return "slow"
        lost = "diverged: none is left to go on from" in result.stderr  # a learning rate of 1 and a population
        self.in_words(result, {1} if lost else {0, 2, 75}, what)
        if result.returncode == 2:
            assert not Path(directory).exists(), f"{what}\nwrote something"
            return "refused"
        if result.returncode == 0:
            self.in_words(self.call(["inspect", directory]), {0}, f"inspect after {what}")
        return "ran"

    def prepare(self) -> None:
        """What the runs read: R' of each task, a trained controller, a schedule."""
        for task in TASKS:
            Path(f"{task}.yaml").write_text(
                f"format: autombpo.baseline\nformat_version: 1\nenv: {task}\n"
                "env_step: [0, 1000000000]\nreturn_mean: [0, 1]\nreturn_std: [0, 0]\n"
            )
        done = self.call(["train", "-q", self.tiny, "run.dir=trained", "ppo.stages=[1]",
                          "scheduler.baseline=inverted-pendulum-v4.yaml"])  # fmt: skip
        assert done.returncode == 0, done.stderr
        done = self.call(["schedule", "trained", "-o", "schedule.csv"])
        assert done.returncode == 0, done.stderr


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("source", type=os.path.abspath)
    parser.add_argument("--draws", type=int, default=240)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    a = parser.parse_args()
    options = Options(a.program, a.source)
    failures = []

    def tried(function, i: int):  # noqa: ANN001, ANN202
        try:
            return function(f"{a.seed}-{i}")
        except (AssertionError, subprocess.TimeoutExpired) as problem:
            failures.append(str(problem))
            return None

    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(os.cpu_count()) as pool:
        os.chdir(directory)
        options.prepare()
        draws = range(a.first, a.first + a.draws)
        accepted = list(pool.map(lambda i: tried(options.check, i), draws))
        ran = list(pool.map(lambda i: tried(options.run, i), range(a.first, a.first + a.runs)))
        os.chdir("/")
    print(f"{len(accepted)} drawn, {accepted.count(True)} accepted; of {len(ran)} small ones "
          f"{ran.count('ran')} ran, {ran.count('refused')} were refused, {ran.count('slow')} were "
          "too slow")  # fmt: skip
    print("\n\n".join(failures))
    assert not failures, f"{len(failures)} failures"
    assert accepted.count(True) > 0 and ran.count("ran") > 0


if __name__ == "__main__":
    main()
