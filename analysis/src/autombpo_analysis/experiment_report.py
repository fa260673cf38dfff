"""The report of an experiment: CSV files, and a text whose tables are made of them."""

from __future__ import annotations

from pathlib import Path

from . import experiment as ex
from . import experiment_figures as figures
from . import tables

READING = """\
A run is one hyper-episode of a test seed. Mean return is the mean over all evaluations of a run,
the main number; an epoch that was lost to a divergence counts as the run's score counts it. IQM:
interquartile mean over all runs. Brackets: 95 % hierarchical bootstrap interval, controllers
redrawn first and then the runs of each; none with fewer than five controllers (or runs, where
nothing was trained), of which each one's mean is told instead; of five to ten controllers it is
somewhat too narrow. Lowest quarter: mean of the lowest quarter of the runs. Better than MBPO:
probability that a run has a higher mean return than one of MBPO. Threshold: runs with an
evaluation that reaches it, and the median of the real samples until then. Real samples and core-
hours: of what had to be made before, and of a test run; means over repetitions (?: a controller
from elsewhere). Missing: test runs that were planned and are not finished.
"""

TASKS = """\
Probability that a run has a higher mean return than one of MBPO, and its mean over the tasks, with
the interval of these tasks: other tasks are not drawn.
"""

SIGNAL = """\
Noise is the deviation of the advantage of decisions with the same choice, signal that between the
choices beyond chance, both in units of the reward, over the hyper-episodes of training; p is the
share of exchanges of advantages between hyper-episodes that show as large a signal. With so many
hyper-episodes as are needed the signal is twice chance's deviation. The last columns are the mean
advantage of each choice.
"""

PARTS = {  # of the tables that not every experiment has: title and explanation
    "schedules": ("Schedules", "Means over runs.\n"),
    "heads": ("Heads", "Test runs. A step beyond a bound has no effect; to keep has.\n"),
    "stages": ("Training", ""),
    "signal": ("Can a controller learn from its advantages?", SIGNAL),
    "features": ("Features", "Decisions of training that saw a feature at an end of its range.\n"),
}


def _section(title: str, text: str, kind: str, name: str) -> str:
    text = f"{text}\n" if text else ""
    return f"## {title}\n\n{text}<!-- table: {kind} {name}.csv -->\n<!-- end of table -->\n\n"


def write(experiment: ex.Experiment, output: Path, with_figures: bool = True) -> list[Path]:
    """Write CSV files, figures and report of an experiment; returns their paths."""
    name = experiment.name
    trials = ex.trials(experiment)
    if not trials.rows:
        raise ValueError(f"{experiment.path}: no test run of {name} is finished")
    others = {"costs": ex.costs(experiment), **ex.behaviour(experiment)}
    written = [trials.write(output / f"{name}.csv")]
    written += [numbers.write(output / f"{name}-{what}.csv") for what, numbers in others.items()]
    written += figures.draw_all(experiment, output) if with_figures else ()
    text = f"# {name}\n\n" + _section("Scores", READING, "scores", name)
    if len({plan.task for plan in experiment.runs}) > 1:
        text += _section("Tasks", TASKS, "tasks", name)
    text += _section("Each repetition", "", "controllers", name)
    text += "".join(_section(*PARTS[what][:2], what, name) for what in PARTS if what in others)
    text += "## Made with\n\n" + "".join(f"- {line}\n" for line in trials.comments)
    document = output / f"{name}.md"
    document.write_text(text, encoding="utf-8")
    document.write_text(tables.remake(document)[1], encoding="utf-8")
    return [*written, document]
