#!/usr/bin/env python3
"""autombpo plan: the work, files and memory that were forecast are those of the run.

Nothing here compares times: what a unit of work costs is measured, how many there are is counted.
usage: forecast_test.py PROGRAM SOURCE_DIR
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM, SOURCE = map(os.path.abspath, sys.argv[1:3])
# nothing ends an episode early, so that all rollouts and evaluations have their whole length
TINY = [f"{SOURCE}/tests/mpi/tiny.yaml", "env.id=pendulum-v1", "scheduler.hyper_episodes=3",
        "scheduler.baseline=baseline.yaml"]  # fmt: skip
ENOUGH = "--measure=60"  # all that there is is measured, and ends sooner
CLOSE = 0.2


def call(*arguments: str, code: int = 0) -> str:
    result = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)
    assert result.returncode == code, (arguments, result.returncode, result.stdout, result.stderr)
    return result.stdout if code == 0 else result.stderr


def plan(*arguments: str) -> dict:
    before = sorted(os.listdir())
    found = json.loads(call("plan", "--json", *arguments))
    assert sorted(os.listdir()) == before, "plan wrote files"
    return found


def events(directory: str, kind: str) -> list[dict]:
    lines = Path(directory, "metrics.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def work_of(directory: str) -> dict[str, float]:
    """What the run did, by the log of its epochs."""
    health = events(directory, "health")
    epochs = events(directory, "epoch")
    last = {event["hyper_episode"]: event["env_step"] for event in epochs}
    first = {event["hyper_episode"]: event["env_step"] for event in events(directory, "begin")}
    return {
        "hyper-episode": len(last),
        "policy update": sum(event["sac_updates"] for event in health),
        "real step": sum(last.values()) - sum(first.values()),
    }


def disk_of(directory: str) -> int:
    wanted = [*Path(directory, "episodes").iterdir(), *Path(directory, "policy").iterdir(),
              Path(directory, "metrics.jsonl")]  # fmt: skip
    return sum(path.stat().st_size for path in wanted)


def check(directory: str, *given: str, exactly: bool = True) -> None:
    options = [*TINY, *given]
    forecast = plan(ENOUGH, *options)
    call("train", "-q", *options, f"run.dir={directory}")
    done = work_of(directory)
    for unit, count in done.items():
        expected = forecast["work"][unit]
        # exploration may end up to an episode later
        slack = 0 if exactly and unit != "real step" else CLOSE
        assert abs(expected - count) <= slack * count, (directory, unit, expected, count)
    found = disk_of(directory)
    assert abs(forecast["disk_bytes"] - found) <= CLOSE * found, (directory, forecast, found)
    most = max(event["rss_mb"] for event in events(directory, "epoch")) * 2**20
    assert abs(forecast["rank_bytes"] - most) <= CLOSE * most, (directory, forecast, most)


def check_trainings() -> None:
    """Two trainings, the first of them many times as long as all that follow, say what these take."""
    options = [*TINY[:2], "scheduler.kind=fixed", "scheduler.hyper_episodes=1", "hyper.apply_epochs=10",
               "mbpo.exploration_steps=400", "model.max_epochs=200", "model.batch_size=32",
               "model.improvement=0.05"]  # fmt: skip
    two, all_of_them = (plan(measure, *options)["work"]["row of a training"]
                        for measure in ("--measure=0", ENOUGH))  # fmt: skip
    assert all_of_them / 1.5 <= two <= 1.5 * all_of_them, (two, all_of_them)


def check_ranks() -> None:
    """Stages wait for their last hyper-episode; more ranks than hyper-episodes of one are idle."""
    stages = [*TINY, "ppo.stages=[2]", "ppo.episodes_per_update=3", "--measure=0.01", "--price=2"]
    for ranks, rounds in ((1, 3), (2, 3), (3, 2), (4, 1), (9, 1)):
        found = plan(f"--ranks={ranks}", *stages)
        longest = found["hours"] / (2 * rounds)
        mean = found["processor_hours"] / 6
        assert mean / 2 <= longest <= 2 * mean, (ranks, found)
        cores = max(1, ranks - 1)
        assert abs(found["core_hours"] - cores * found["hours"]) <= 1e-9 * found["core_hours"]
        assert abs(found["cost"] - 2 * found["core_hours"]) <= 1e-9 * found["cost"]
        assert found["memory_bytes"] >= cores * found["rank_bytes"]


def main() -> None:
    call("baseline", "-q", "-o", "baseline.yaml", *TINY[:2], "run.dir=base",
         "scheduler.hyper_episodes=1")  # fmt: skip
    check("fixed", "scheduler.kind=fixed", "log.transitions=true")
    check("sac", "scheduler.kind=fixed", "mbpo.real_ratio=1")
    check("random", "scheduler.kind=random", "hyper.decision_interval=7")
    check("static", "scheduler.kind=static")
    call("schedule", "random", "-o", "schedule.csv")
    check("replay", "scheduler.kind=replay", "scheduler.schedule=schedule.csv",
          "hyper.decision_interval=7")  # fmt: skip
    check("ppo", "ppo.stages=[1]", "ppo.episodes_per_update=2")
    # what it decides depends on what happens
    check("ror", "scheduler.kind=ror", exactly=False)
    check("pbt", "scheduler.kind=pbt", "pbt.members=3", "pbt.interval=2", "pbt.score_epochs=1",
          "hyper.apply_epochs=4", exactly=False)  # fmt: skip
    check_trainings()
    check_ranks()
    text = call("plan", "--measure=0.01", "--ranks=3", "--price=0.5", *TINY, "scheduler.kind=fixed")
    for word in ("time ", "core-hours ", "which cost", "memory ", "disk "):
        assert word in text, (word, text)
    # without R', which may have to be made yet
    plan("--measure=0.01", *TINY[:3])
    for bad in ("--ranks=0", "--ranks=2.5", "--price=-1", "--measure=x", "no.key=1"):
        assert bad.split("=")[0].lstrip("-") in call("plan", bad, *TINY, code=2)
    print("what was forecast was done")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        main()
