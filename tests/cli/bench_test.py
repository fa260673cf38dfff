#!/usr/bin/env python3
"""autombpo bench: what it prints is JSON with the documented keys; bad usage has exit code 2.

usage: bench_test.py PROGRAM docs/performance.md. Never looks at a time: only at what must hold on any machine.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile

KEYS = ["name", "precision", "task", "batch", "threads", "value", "unit", "floor", "floor_ratio",
        "repeats", "spread"]  # fmt: skip
TASK = ["pendulum-small.yaml", "sac.batch_size=32", "model.batch_size=32", "model.hidden_size=16"]
QUICK = ["--json", "--seconds=0.002", "--repeats=3", "--length=2"]


def run(*arguments: str, code: int = 0) -> subprocess.CompletedProcess:
    result = subprocess.run([sys.argv[1], "bench", *arguments], capture_output=True, text=True)
    assert result.returncode == code, (arguments, result.returncode, result.stdout, result.stderr)
    return result


def objects(*arguments: str) -> list[dict]:
    return [json.loads(line) for line in run(*arguments).stdout.splitlines()]


def check(found: dict, name: str, batch: int, floor: bool, repeats: int) -> None:
    assert list(found)[: len(KEYS)] == KEYS, found
    assert (found["name"], found["batch"], found["repeats"]) == (name, batch, repeats), found
    assert found["precision"] == "float32" and found["task"] == "pendulum-v1", found
    assert found["value"] > 0 and found["spread"] >= 0, found
    assert (found["floor"] is not None) == floor == (found["floor_ratio"] is not None), found
    if floor:
        assert math.isclose(found["floor_ratio"], found["value"] / found["floor"]), found
    figures = found["figures"]
    if name in ("gemm", "sac", "ensemble", "rollout"):
        share = figures.get("gflops", found["value"]) / figures["peak_gflops"]
        assert share > 0 and math.isclose(figures["of_peak"], share), found
    shares = found["shares"].values()
    assert not shares or math.isclose(sum(shares), 1), found


def parts() -> None:
    found = objects(*QUICK, *TASK)
    assert [f["name"] for f in found] == ["gemm", "sac", "ensemble", "rollout", "env"]
    for f in found:
        batch = {"env": 1, "rollout": 8192}.get(f["name"], 32)
        check(f, f["name"], batch, f["name"] != "env" or f["floor"] is not None, 3)
    assert list(found[1]["shares"]) == ["draw batch", "critic targets", "critic gradient",
                                        "policy gradient", "adam"]  # fmt: skip
    # operations of an update: O = 3, A = 1, H = 64 hidden units, 2 layers, B = 32 rows
    wide = 64 * 64
    policy, critic = 3 * 64 + wide + 64 * 2, 4 * 64 + wide + 64
    forward = 2 * policy + 6 * critic
    backward = 2 * (2 * critic - 4 * 64) + 2 * (64 + wide + 64) + 2 * policy - 3 * 64
    hidden = json.loads(run(*QUICK, *TASK, "sac", "sac.hidden_size=64").stdout)
    expected = 2 * 32 * (forward + backward) / 1e6
    assert math.isclose(hidden["figures"]["mflop"], expected), (hidden, expected)
    # widths given as lists are those of the networks that were measured, also of its products alone
    lists = ["sac.policy_layers=[24,8]", "sac.critic_layers=[48,20,12]"]
    gemm, sac = objects(*QUICK, *TASK, "gemm", "sac", *lists)
    assert sac["networks"] == {"policy": [3, 24, 8, 2], "critic": [4, 48, 20, 12, 1],
                               "model": [4, 16, 16, 16, 8]}, sac  # fmt: skip
    assert not {"hidden", "model_hidden"} & set(sac["figures"]), sac
    assert "critic                 4-48-20-12-1\n" in run(*QUICK[1:], *TASK, "sac", *lists).stdout


def row() -> None:
    """As many cells as docs/performance.md's table of machines has, in its order."""
    cells = run("--row", *QUICK[1:], *TASK).stdout.strip().strip("|").split("|")
    table = open(sys.argv[2], encoding="utf-8").read()
    heads = next(line for line in table.splitlines() if line.startswith("| processor |"))
    names = [name.strip() for name in heads.strip().strip("|").split("|")]
    assert len(cells) == len(names), (cells, names)
    found = dict(zip(names, map(str.strip, cells)))
    assert found["task"] == "pendulum-v1, float32" and found["program"].startswith("0."), found
    rate = re.compile(r"[0-9.e+]+ \([0-9]+\.[0-9]{2}\)")
    assert all(rate.fullmatch(found[name]) for name in names if "/s" in name and "env" not in name), found
    assert run("--row", "sac", *QUICK[1:], *TASK).stdout.count(" |") == len(names)


def mbpo() -> None:
    more = ["mbpo.exploration_steps=200", "mbpo.min_pool=100", "model.max_epochs=3"]
    found = objects("mbpo", "--json", "--steps=10", "--repeats=2", *TASK, *more)[0]
    check(found, "mbpo", 32, False, 2)
    figures = found["figures"]
    assert figures["real_steps"] == 10 and figures["model_trainings"] == 1, figures
    assert figures["model_epochs"] == 3 and figures["sac_updates"] > 0, figures


def controller() -> None:
    with tempfile.TemporaryDirectory() as place:
        environment = dict(os.environ, TMPDIR=place)
        result = subprocess.run(
            [sys.argv[1], "bench", "controller", "--json", "--workers=20", "--seconds=0.2",
             "--interval=0.05", *TASK],
            capture_output=True, text=True, env=environment,
        )  # fmt: skip
        assert result.returncode == 0, result
        left = [name for name in os.listdir(place) if name.startswith("autombpo")]
        assert not left, left
    found = json.loads(result.stdout)
    check(found, "controller", 20, False, 1)
    figures = found["figures"]
    assert figures["workers"] == 20 and figures["load_decisions_per_s"] == 400, figures
    assert figures["kb_per_worker"] > 0 and figures["full_latency_ms"] > 0, figures


def bad_usage() -> None:
    for arguments, said in [
        (["no-such-part"], "unknown part 'no-such-part'"),
        (["--no-such-option"], "unrecognized option"),
        (["--seconds=0"], "--seconds is '0'"),
        (["--row", "mbpo"], "--row has no place for 'mbpo'"),
        (["--repeats=1.5"], "--repeats is '1.5'"),
        (["--workers=x", "controller"], "--workers is 'x'"),
        (["sac", "no-such-file.yaml"], "no-such-file.yaml"),
        (["sac", "sac.batch_sise=1"], "sac.batch_sise"),
        (["sac", "sac.batch_size=0"], "sac.batch_size"),
        (["env", "env.id=no-such-task"], "no-such-task"),
    ]:
        result = run(*arguments, code=2)
        assert said in result.stderr and not result.stdout, (arguments, result)
    assert "usage: autombpo bench" in run("--help").stdout


parts()
row()
mbpo()
controller()
bad_usage()
