"""Command line: autombpo-report RUN... -o report.html.

One page that needs nothing else, for somebody who has to believe the result: what was found, how
sure, what it cost, what went wrong, and how to make it again. Beside it ro-crate-metadata.json.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import warnings
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import __version__, compare, console, stats
from . import report_facts as facts
from . import report_figures as figures
from .crate import write_crate
from .plots import returns_panels
from .report_page import figure_value, render, text_link
from .runs import Runs, load
from .style import method_colours, method_name

LARGEST = 5_000_000  # bytes of a page


def _comparison(runs: Runs, stage: str) -> tuple[compare.Scores | None, str]:
    """Scores of all methods, or None and why there are none."""
    try:
        return compare.scores(runs, stage), ""
    except (ValueError, IndexError) as error:
        return None, str(error) or "no hyper-episode has finished"


def _by_task(groups: dict) -> dict[str, dict]:
    found: dict[str, dict] = {}
    for (env, method), episodes in groups.items():
        found.setdefault(env, {})[method] = episodes
    return found


def _schedules(runs: Runs, stage: str) -> list[figures.Figure]:
    groups = {key: figures.cv.finished(e) for key, e in runs.groups(stage).items()}
    groups = {key: e for key, e in groups.items() if e}
    found = []
    for env, methods in _by_task(groups).items():
        found += figures.schedules(env, methods)
        shares = [figures.effective(env, method, e) for method, e in methods.items()]
        found += [figure for figure in shares if figure is not None]
    return found


def _figures(runs: Runs, stage: str, data: compare.Scores | None) -> dict[str, list]:
    """The figures of each part of the page."""
    panels = returns_panels(runs, stage)
    colours = method_colours(e.method for panel in panels for e in panel.everything())
    trained = [run for run in runs if run.trains_controller]
    time = figures.time_split(facts.method_seconds(runs))
    return {
        "curves": [figures.returns(panel, colours) for panel in panels],
        "comparison": list(figures.comparison(data)) if data else [],
        "schedules": _schedules(runs, stage),
        "controller": list(figures.controller(trained)) if trained else [],
        "time": [time] if time else [],
    }


def _files(runs: Runs) -> dict[str, Any]:
    paths = [path for run in runs for path in facts.files_of(run)]
    text = "".join(f"{facts.sha256(path)}  {path}\n" for path in paths)
    return {"count": len(paths), "link": text_link(text, "SHA256SUMS", "text/plain")}


def _configs(runs: Runs) -> list[dict[str, str]]:
    found = []
    for i, run in enumerate(runs):
        path = run.path / "run.yaml"
        if path.is_file():
            link = text_link(path.read_text(encoding="utf-8"), f"run-{i}.yaml", "text/yaml")
            found.append({**link, "run": str(run.path)})
    return found


def _summary(rows: Sequence[facts.RunFacts]) -> str:
    methods = ", ".join(dict.fromkeys(method_name(r.method) for r in rows))
    tasks = ", ".join(dict.fromkeys(r.env for r in rows))
    times = sorted(t for r in rows for t in (r.begun, r.ended) if t)
    days = list(dict.fromkeys(f"{t:%Y-%m-%d}" for t in times[:1] + times[-1:]))
    when = f"; {' to '.join(days)}" if days else ""
    seeds = {r.seed for r in rows}
    seeds_text = f"seed{'s' if len(seeds) > 1 else ''} {facts.seeds_text(list(seeds))}"
    return f"{methods} on {tasks}; {facts.counted(len(rows), 'run')}, {seeds_text}{when}."


def _open_runs(rows: Sequence[facts.RunFacts]) -> str:
    """How many of the runs have not ended, for the head of the page; empty if none."""
    count = sum(r.state != "finished" for r in rows)
    if count == 0:
        return ""
    if len(rows) == 1:
        return "The run has not finished"
    have = "has" if count == 1 else "have"
    return f"{count} of {facts.counted(len(rows), 'run')} {have} not finished"


def page_values(runs: Runs, command: str, stage: str = "auto", title: str = "") -> dict[str, Any]:
    """Everything that the template shows."""
    data, no_results = _comparison(runs, stage)
    groups = runs.groups(stage)
    rows = [facts.run_facts(run) for run in runs]
    columns, differences = facts.config_differences(runs)
    drawn = figures.drawn(lambda: _figures(runs, stage, data))
    shown = {part: [figure_value(f) for f in each] for part, each in drawn.items()}
    return {
        **shown,
        "title": title or f"{', '.join(dict.fromkeys(r.env for r in rows))}: autombpo report",
        "summary": _summary(rows),
        "made": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "command": command,
        "version": __version__,
        "open_runs": _open_runs(rows),
        "results": facts.results(data, groups) if data else [],
        "chances": facts.chances(data) if data else [],
        "no_results": no_results,
        "fewest": stats.FEWEST,
        "heads": figures.head_uses(groups),
        "runs": rows,
        "total_samples": sum(r.samples for r in rows),
        "total_hours": sum(r.core_hours for r in rows),
        "troubles": [t for run in runs for t in facts.troubles(run)],
        "config_columns": columns,
        "differences": differences,
        "configs": _configs(runs),
        "starts": facts.alike([s for run in runs for s in facts.starts(run)]),
        "sums": _files(runs),
    }


def write_report(
    runs: Runs, output: Path, command: str, stage: str = "auto", title: str = ""
) -> list[Path]:
    """Write the page and the RO-Crate beside it; returns both paths."""
    text = render(page_values(runs, command, stage, title))
    if len(text.encode()) > LARGEST:
        warnings.warn(f"{output}: {len(text.encode()) / 1e6:.1f} MB; fewer RUNs make it smaller",
                      stacklevel=2)  # fmt: skip
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    return [output, write_crate(runs, output)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autombpo-report",
        description="A page about runs, finished or not, that needs no other file and no network.",
        epilog="RUN is a run directory, a directory with runs below it, or a pattern. Beside the "
        "page ro-crate-metadata.json says the same to machines (Workflow Run RO-Crate). "
        "Exit codes: 0 done, 1 failed, 2 wrong usage.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("-o", "--output", type=Path, default=Path("report.html"), metavar="FILE",
                        help="page to write (default: report.html)")  # fmt: skip
    parser.add_argument("--title", default="", help="title of the page")
    parser.add_argument("--stage", type=console.stage, default="auto", metavar="N",
                        help="hyper-episodes to use: all, last, or a stage's number (default: the "
                        "last stage of a run that trains a controller, else all)")  # fmt: skip
    parser.add_argument("-V", "--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    options = _parser().parse_args(arguments)
    command = shlex.join(["autombpo-report", *(sys.argv[1:] if arguments is None else arguments)])

    def work() -> None:
        runs = load(*options.runs, unfinished=True)
        for path in write_report(runs, options.output, command, options.stage, options.title):
            print(path)

    return console.run("autombpo-report", work)


if __name__ == "__main__":
    sys.exit(main())
