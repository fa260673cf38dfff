"""The report of an experiment: CSV files, and a text whose tables are made of them."""

from __future__ import annotations

from pathlib import Path

from . import experiment as ex
from . import tables

READING = """\
A run is one hyper-episode of a test seed. Mean return is the mean over all evaluations of a run,
the main number; an epoch that was lost to a divergence counts as the run's score counts it. IQM:
interquartile mean over all runs. Brackets: 95 % hierarchical bootstrap interval, controllers
redrawn first and then the runs of each; none with fewer than five controllers (or runs, where
nothing was trained), of which each one's mean is told instead. Lowest quarter: mean of the lowest
quarter of the runs. Better than MBPO: probability that a run has a higher mean return than one of
MBPO. Threshold: runs with an evaluation that reaches it, and the median of the real samples until
then. Real samples and core-hours: of what had to be made before, and of a test run; means over
repetitions. Missing: test runs that were planned and are not finished.
"""


def _section(kind: str, file: str) -> str:
    return f"<!-- table: {kind} {file} -->\n<!-- end of table -->\n"


def write(directory: Path, output: Path) -> list[Path]:
    """Write the CSV files and the report of an experiment; returns their paths."""
    experiment = ex.Experiment.read(directory)
    name = experiment.name
    trials = ex.trials(experiment)
    if not trials.rows:
        raise ValueError(f"{directory}: no test run of {name} is finished")
    written = [
        trials.write(output / f"{name}.csv"),
        ex.costs(experiment).write(output / f"{name}-costs.csv"),
    ]
    facts = "".join(f"- {line}\n" for line in trials.comments)
    text = (
        f"# {name}\n\n{READING}\n{_section('scores', f'{name}.csv')}\n"
        f"## Each repetition\n\n{_section('controllers', f'{name}.csv')}\n"
        f"## Made with\n\n{facts}"
    )
    document = output / f"{name}.md"
    document.write_text(text, encoding="utf-8")
    document.write_text(tables.remake(document)[1], encoding="utf-8")
    return [*written, document]
