#!/usr/bin/env python3
"""autombpo config check --plan: a run does what was planned, to the number.

usage: plan_test.py PROGRAM SOURCE_DIR
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM, SOURCE = map(os.path.abspath, sys.argv[1:3])
# nothing ends an episode early, so that every rollout has its whole length
TINY = [f"{SOURCE}/tests/mpi/tiny.yaml", "env.id=pendulum-v1", "scheduler.hyper_episodes=2",
        "scheduler.baseline=baseline.yaml", "log.transitions=false"]  # fmt: skip


def call(*arguments: str, code: int = 0) -> str:
    result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    assert result.returncode == code, (arguments, result.returncode, result.stdout, result.stderr)
    return result.stdout


def numbers(plan: str, pattern: str) -> list[int]:
    match = re.search("^" + pattern, plan, re.M)
    assert match, (pattern, plan)
    return [int(number) for number in match.groups()]


def bounds(plan: str, name: str) -> tuple[int, int]:
    """Of "NAME LOW to HIGH" or "NAME VALUE"."""
    low, high = re.search(rf"^{name} +(\d+)(?: to (\d+))?", plan, re.M).groups()
    return int(low), int(high or low)


def epochs_of(directory: str) -> list[list[dict]]:
    """What happened in each epoch of each hyper-episode."""
    runs: dict[int, list[dict]] = {}
    for line in Path(directory, "metrics.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "epoch":
            runs.setdefault(event["hyper_episode"], []).append(event)
        if event["event"] == "health":
            runs[event["hyper_episode"]][-1] |= event
    return list(runs.values())


def check(directory: str, *given: str) -> None:
    options = [*TINY, *given]
    plan = call("config", "check", "--plan", *options)
    call("train", "-q", *options, f"run.dir={directory}")
    runs = epochs_of(directory)
    hyper_episodes, epochs = numbers(plan, r"run +(\d+) \S+ of (\d+) epochs")
    rows = {int(k): int(n) for k, n in re.findall(r"^ +(\d+) +(\d+) ", plan, re.M)}
    assert len(runs) == hyper_episodes
    for run in runs:
        assert len(run) == epochs
        low, high = bounds(plan, "real samples")
        assert low <= run[-1]["env_step"] <= high, (plan, run)
        low, high = bounds(plan, "SAC updates")
        assert low <= sum(epoch["sac_updates"] for epoch in run) <= high, (plan, run)
        if not rows:
            assert "model            none" in plan
            continue
        low, high = bounds(plan, "model trainings")
        run[0]["model_trainings"] += "the first one before" in plan
        for epoch in run:
            assert low <= epoch["model_trainings"] <= high, (plan, epoch)
            assert epoch["rollout_length"] in rows
            assert 0 < epoch["model_buffer_rows"] <= rows[epoch["rollout_length"]], (plan, epoch)
        if "scheduler.kind=fixed" in given:
            assert [epoch["model_buffer_rows"] for epoch in run] == [
                rows[epoch["rollout_length"]] for epoch in run
            ], (plan, run)


def main() -> None:
    call("baseline", "-q", "-o", "baseline.yaml", *TINY[:2], "run.dir=base",
         "scheduler.hyper_episodes=1")  # fmt: skip
    check("fixed", "scheduler.kind=fixed")
    check("uneven", "scheduler.kind=fixed", "mbpo.train_interval=7", "mbpo.rollout_interval=11")
    check("sac", "scheduler.kind=fixed", "mbpo.real_ratio=1")
    check("random", "scheduler.kind=random", "hyper.decision_interval=7")
    check("own", "scheduler.kind=random", "hyper.schedule_train_model=false",
          "hyper.schedule_policy_updates=false", "hyper.schedule_rollout_length=false")  # fmt: skip
    check("ppo", "ppo.stages=[2]", "ppo.episodes_per_update=1", "hyper.rollouts=30")
    # the schedule of a run, followed again
    call("schedule", "random", "-o", "schedule.csv")
    check("replay", "scheduler.kind=replay", "scheduler.schedule=schedule.csv",
          "hyper.decision_interval=7")  # fmt: skip
    # a batch of 16 has int(16 beta) real transitions
    plan = call("config", "check", "--plan", *TINY, "scheduler.kind=random", "mbpo.real_ratio=0.2",
                "hyper.real_ratio_min=0.1", "hyper.real_ratio_max=0.7")  # fmt: skip
    assert numbers(plan, r"real in a batch +(\d+) of (\d+).*, (\d+) to (\d+) ") == [3, 16, 1, 11]
    # a plan comes of what can be run alone
    assert call("config", "check", "--plan", *TINY, "mbpo.retain_epochs=1000",
                "hyper.rollouts=10000000", code=2) == ""  # fmt: skip
    print("what was planned was done")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        main()
