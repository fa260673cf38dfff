"""Runs that have not ended: curves from metrics.jsonl, the state from status.json."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timezone
from pathlib import Path

import pytest
from synthetic import write_episode

from autombpo_analysis import FormatError, cli, load
from autombpo_analysis.live import read_config, state_of

RUN_YAML = """\
env:
  id: hopper-v2  # hopper.yaml:1:7
run:
  seed: 3  # command line
  method: mbpo
external:
  command: "a # b"  # default
# end of run.yaml; config_hash 0123456789abcdef
"""


def write_live(path: Path, sealed: int, epochs: int) -> Path:
    """A run with `sealed` hyper-episodes and one more that is `epochs` epochs old."""
    (path / "episodes").mkdir(parents=True)
    for index in range(sealed):
        write_episode(path / f"episodes/{index:06d}.h5", method="mbpo", index=index, n_epochs=4)
    (path / "run.yaml").write_text(RUN_YAML)
    begin = {"event": "begin", "hyper_episode": sealed, "stage": 0}
    lines = [json.dumps(begin)]
    for epoch in [0, *range(epochs)]:  # the first is done again after a kill
        event = {"event": "epoch", "hyper_episode": sealed, "epoch": epoch,
                 "env_step": 6000 + 1000 * epoch, "eval_return": 10.0 * epoch}  # fmt: skip
        lines.append(json.dumps(event))
    (path / "metrics.jsonl").write_text("\n".join(lines) + '\n{"event": "ep')
    return path


@pytest.mark.parametrize("sealed", [0, 2])
def test_a_running_run_has_a_curve(sealed: int, tmp_path: Path):
    run = write_live(tmp_path / "run", sealed, 3)
    target = tmp_path / "returns.png"
    assert cli.main(["returns", str(run), "-o", str(target)]) == 0
    with target.with_suffix(".csv").open() as file:
        rows = [r for r in csv.DictReader(file) if "not ended" in r["method"]]
    assert [float(r["return"]) for r in rows] == [0.0, 10.0, 20.0]
    assert [float(r["env_step"]) for r in rows] == [6000.0, 7000.0, 8000.0]


def test_results_are_never_taken_from_what_is_not_sealed(tmp_path: Path):
    run = write_live(tmp_path / "run", 2, 3)
    assert [len(r.episodes) for r in load(run)] == [2] and not load(run)[0].unfinished
    with pytest.raises(FormatError, match="no hyper-episode is sealed"):
        load(write_live(tmp_path / "other", 0, 3))


def test_the_configuration_is_read_as_it_is_written():
    found = read_config(RUN_YAML)
    assert found == {"env.id": "hopper-v2", "run.seed": "3", "run.method": "mbpo",
                     "external.command": '"a # b"'}  # fmt: skip


def test_a_state_says_since_when_nobody_wrote():
    now = datetime(2026, 1, 31, 12, 0, 30, tzinfo=timezone.utc)
    status = {"state": "running", "updated": "2026-01-31T12:00:00Z"}
    assert state_of(status, now) == "running"
    status["updated"] = "2026-01-31T11:00:00Z"
    assert state_of(status, now) == "silent since 2026-01-31T11:00:00Z"
    assert state_of({"state": "checkpointed", "updated": status["updated"]}, now) == "checkpointed"
