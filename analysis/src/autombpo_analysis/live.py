"""What a run says of itself while it runs, from its text files: for looking at, never for results.

Sealed files appear when a hyper-episode ends. Until then metrics.jsonl has its epochs, run.yaml its
configuration and status.json its state.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

UNFINISHED = "unfinished"  # status of a hyper-episode that is not sealed yet
SILENT_S = 60.0  # an older status.json was left by who is gone: rank 0 writes it every ten seconds

COLUMNS = {
    "env_step": "env_step",
    "eval_return": "eval_return_mean",
    "real_ratio": "real_ratio",
    "policy_updates": "policy_updates",
    "rollout_length": "rollout_length",
    "model_trainings": "model_trainings",
}


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a file of JSON lines; those that a kill or a full disk cut off are left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                found = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(found, dict):
                yield found


def read_config(text: str) -> dict[str, str]:
    """A resolved configuration (run.yaml, attribute `config`) as {section.key: its text}."""
    section, found = "", {}
    for line in text.splitlines():
        line = re.sub(r"\s+#[^\"']*$", "", line)
        name, _, value = line.strip().partition(":")
        if not line or line.startswith("#"):
            continue
        if line.startswith(" "):
            found[f"{section}.{name}"] = value.strip()
        else:
            section = name
    return found


def run_config(run: Path) -> dict[str, str]:
    """The configuration of a run directory; empty if it is not a run yet."""
    path = run / "run.yaml"
    return read_config(path.read_text(encoding="utf-8")) if path.exists() else {}


def config_hash(run: Path) -> str:
    """The hash of a run's configuration, from the last line of run.yaml; empty if there is none."""
    path = run / "run.yaml"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = re.search(r"config_hash ([0-9a-f]{16})\s*$", text)
    return found[1] if found else ""


def parse_time(text: str | None) -> datetime | None:
    """A time of the JSON files; None where there is none."""
    try:
        moment = datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None
    return moment.replace(tzinfo=timezone.utc)


def state_of(status: dict[str, Any], now: datetime | None = None) -> str:
    """The state of a run in words, from its status.json; of one that died: since when."""
    state = str(status.get("state", "unknown"))
    written = parse_time(status.get("updated"))
    if state != "running" or written is None:
        return state
    age = ((now or datetime.now(timezone.utc)) - written).total_seconds()
    return state if age <= SILENT_S else f"silent since {status['updated']}"


def unfinished_columns(run: Path, sealed: Collection[int]) -> dict[int, tuple[int, dict]]:
    """{hyper-episode: (stage, columns of /epochs)} of those that are not among the sealed ones.

    An epoch that was done again after a kill counts once, as it was the last time.
    """
    stage: dict[int, int] = {}
    rows: dict[int, dict[int, dict[str, Any]]] = {}
    for event in json_lines(run / "metrics.jsonl"):
        index = event.get("hyper_episode", -1)
        if index in sealed:
            continue
        if event.get("event") == "begin":
            stage[index] = int(event.get("stage", 0))
        elif event.get("event") == "epoch":
            rows.setdefault(index, {})[int(event["epoch"])] = event
    found = {}
    for index, epochs in sorted(rows.items()):
        events = [epochs[epoch] for epoch in sorted(epochs)]
        columns = {
            name: np.array([np.nan if e.get(key) is None else e[key] for e in events])
            for key, name in COLUMNS.items()
        }
        found[index] = (stage.get(index, 0), columns)
    return found
