"""ro-crate-metadata.json beside a report: who made what from what, for machines.

A Workflow Run RO-Crate 0.5 (w3id.org/ro/wfrun/workflow). The workflow of a run is its run.yaml,
which repeats it; the first one is the main one. Each run, and the report, is an action with its
inputs, results, times and program. Files below the report's directory are its parts; others
are named by their file: address, because a crate has no parts outside.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import __version__
from . import report_facts as facts
from .run import Run
from .runs import Runs
from .style import method_name

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
LICENSE = "#license"  # the results are their owner's, who says what others may do
KINDS = {".h5": "application/x-hdf5", ".tar": "application/x-tar", ".yaml": "application/yaml",
         ".json": "application/json", ".jsonl": "application/jsonl", ".html": "text/html"}  # fmt: skip
STATUS = {"finished": "CompletedActionStatus", "failed": "FailedActionStatus"}

Entity = dict[str, Any]


def _ref(identifier: str) -> Entity:
    return {"@id": identifier}


def _refs(entities: list[Entity]) -> list[Entity]:
    return [_ref(e["@id"]) for e in entities]


def _id(path: Path, root: Path) -> str:
    """How a file is named in a crate whose directory is `root`."""
    path = Path(os.path.abspath(path))
    return str(path.relative_to(root)) if root in path.parents else path.as_uri()


def _file(path: Path, root: Path, name: str, **more: Any) -> Entity:
    entity = {"@id": _id(path, root), "@type": "File", "name": name, "sha256": facts.sha256(path)}
    entity["contentSize"] = str(path.stat().st_size)
    entity["encodingFormat"] = KINDS.get(path.suffix, "text/plain")
    return {**entity, **more}


def _iso(moment: datetime | None) -> str:
    return (moment or datetime.now(timezone.utc)).isoformat(timespec="seconds")


def _program(run: Run) -> Entity:
    """The program of a run's last start."""
    starts = facts.starts(run)
    version = starts[-1].version if starts else "unknown"
    build = starts[-1].program if starts else ""
    return {
        "@id": f"#autombpo-{version}-{build}",
        "@type": "ComputerLanguage",
        "name": "autombpo",
        "version": f"{version}, build {build}",
        "url": "https://arxiv.org/abs/2111.08550",
    }


def _run_entities(run: Run, root: Path, number: int) -> tuple[Entity, Entity, list[Entity]]:
    """The workflow, the action, and all files of a run."""
    label = f"{method_name(run.method)} on {run.env}, seed {run.seed}"
    row = facts.run_facts(run)
    files = [_file(path, root, f"{label}: {path.name}") for path in facts.files_of(run)]
    workflow = next((f for f in files if f["@id"].endswith("run.yaml")), files[0])
    workflow["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    workflow.update(
        name=f"Configuration of {label}",
        programmingLanguage=_ref(_program(run)["@id"]),
        license=_ref(LICENSE),
        version=str(run.episodes[0].attributes["config_hash"]) if run.episodes else "running",
    )
    results = [f for f in files if f["@id"].endswith((".h5", ".tar", ".jsonl"))]
    action = {
        "@id": f"#run-{number}",
        "@type": "CreateAction",
        "name": label,
        "description": "; ".join(start.command for start in facts.starts(run)) or label,
        "instrument": _ref(workflow["@id"]),
        "agent": _ref("#agent"),
        "object": [_ref(workflow["@id"])],
        "result": _refs(results),
        "startTime": _iso(row.begun),
        "endTime": _iso(row.ended),
        "actionStatus": _ref(f"http://schema.org/{STATUS.get(row.state, 'ActiveActionStatus')}"),
    }
    if row.state == "failed":
        action["error"] = "see the log of the run"
    return workflow, action, files


def _report_entities(report: Path, root: Path, inputs: list[Entity], now: str) -> list[Entity]:
    page = _file(report, root, "Report")
    tool = {
        "@id": "#autombpo-report",
        "@type": "SoftwareApplication",
        "name": "autombpo-report",
        "version": __version__,
        "url": "https://arxiv.org/abs/2111.08550",
    }
    action = {
        "@id": "#report",
        "@type": "CreateAction",
        "name": "Report",
        "description": "Makes the page of the results.",
        "instrument": _ref(tool["@id"]),
        "agent": _ref("#agent"),
        "object": _refs(inputs),
        "result": [_ref(page["@id"])],
        "startTime": now,
        "endTime": now,
        "actionStatus": _ref("http://schema.org/CompletedActionStatus"),
    }
    return [page, tool, action]


def _root(title: str, main: Entity, parts: list[Entity], actions: list[Entity], now: str) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": title,
        "description": f"Results of autombpo and the page about them: {title}",
        "datePublished": now,
        "license": _ref(LICENSE),
        "conformsTo": [_ref(uri) for uri in PROFILES],
        "mainEntity": _ref(main["@id"]),
        "hasPart": _refs(parts),
        "mentions": _refs(actions),
    }


def crate(runs: Runs, report: Path) -> Entity:
    """The crate of a report as JSON-LD."""
    root = Path(os.path.abspath(report)).parent
    now = _iso(None)
    parts = [_run_entities(run, root, number) for number, run in enumerate(runs)]
    files = [file for _, _, each in parts for file in each]
    page, tool, made = _report_entities(report, root, files, now)
    actions = [action for _, action, _ in parts] + [made]
    title = ", ".join(dict.fromkeys(f"{method_name(r.method)} on {r.env}" for r in runs))
    programs = {p["@id"]: p for p in (_program(run) for run in runs)}
    profiles = [
        {"@id": uri, "@type": "CreativeWork", "name": name, "version": version}
        for uri, (name, version) in PROFILES.items()
    ]
    describe = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": [_ref("https://w3id.org/ro/crate/1.1"), _ref(list(PROFILES)[-1])],
        "about": _ref("./"),
    }
    agent = {"@id": "#agent", "@type": "Person", "name": "who ran it"}
    terms = {"@id": LICENSE, "@type": "CreativeWork", "name": "Not stated: ask its author"}
    top = _root(title, parts[0][0], [*files, page], actions, now)
    graph = [describe, top, *profiles, *programs.values(), agent, terms, page, tool]
    return {"@context": CONTEXT, "@graph": [*graph, *files, *actions]}


def write_crate(runs: Runs, report: Path) -> Path:
    """Write the crate beside the report; returns its path."""
    path = report.parent / "ro-crate-metadata.json"
    path.write_text(json.dumps(crate(runs, report), indent=1) + "\n", encoding="utf-8")
    return path
