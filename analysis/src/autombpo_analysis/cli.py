"""Command line: autombpo-plot <figure> RUN... -o FILE."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__, compare, console, plots
from . import experiment_figures as figures
from .check import check_episode, check_policies
from .curves import finished
from .experiment import Experiment, is_experiment
from .runs import Runs, load
from .style import Drawing, _cell
from .tables import read_csv

EVALUATIONS = ("env", "method", "seed", "hyper_episode", "env_step", "return")

EPILOG = """RUN is a run directory, a directory with runs below it, a pattern, or a sealed
hyper-episode; for returns, schedule and controller also the directory of an experiment, whose
test runs (controller: training runs) are drawn, with intervals over controllers. Each figure is
written to -o (png, pdf or svg, by the name), and its numbers beside it as CSV. Exit codes: 0 done,
1 failed, 2 wrong usage."""


def _figure_parser(commands, name: str, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text, epilog=EPILOG)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("-o", "--output", type=Path, default=Path(f"{name}.png"), metavar="FILE",
                        help=f"figure to write (default: {name}.png)")  # fmt: skip
    parser.add_argument("--task", action="append", default=[], metavar="TASK",
                        help="this task only (may be repeated)")  # fmt: skip
    parser.add_argument("--method", action="append", default=[], metavar="METHOD",
                        help="this method only (may be repeated)")  # fmt: skip
    parser.add_argument("--csv", action="store_true", help="also print the numbers to stdout")
    return parser


def _stage_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stage", type=console.stage, default="auto", metavar="N",
        help="hyper-episodes to use: all, last, or a stage's number (default: the last stage of a "
        "run that trains a controller, else all)",
    )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autombpo-plot", description="Figures and tables of autombpo runs.", epilog=EPILOG
    )
    parser.add_argument("-V", "--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    p = _figure_parser(commands, "returns", "learning curves (figure 2)")
    _stage_option(p)
    p.add_argument("--band", choices=("iqm", "mean", "median", "std"), default="iqm",
                   help="line and band: interquartile mean, mean or median with 95%% bootstrap "
                   "interval, or mean ± standard deviation (default: iqm)")  # fmt: skip
    p.add_argument("--no-baseline", action="store_true", help="leave out the baseline R'")
    p.add_argument("--published", type=Path, metavar="FILE.csv",
                   help="draw these values as points: env, method, env_step, return")  # fmt: skip

    p = _figure_parser(commands, "schedule", "hyperparameter schedules (figure 3)")
    _stage_option(p)
    p.add_argument("--bins", type=int, default=40, help="parts of the run (default: 40)")
    p.add_argument("--effective", action="store_true",
                   help="add the share of decisions that had an effect")  # fmt: skip
    p.add_argument("--theory", action="store_true", help="add the real ratio of theorem 4.1")

    _figure_parser(commands, "controller", "training progress of the controller, by stage")

    p = _figure_parser(commands, "compare", "scores, profiles and probability of improvement")
    _stage_option(p)
    p.add_argument("--reference", default="mbpo", metavar="METHOD",
                   help="method whose final return counts as 1 (default: mbpo)")  # fmt: skip
    p.add_argument("--first", metavar="METHOD", help="method that the others are compared with")

    _figure_parser(commands, "effects", "effects of single decisions, from autombpo fork")
    _figure_parser(commands, "time", "seconds per epoch by part, from metrics.jsonl")
    _figure_parser(commands, "fvi", "fitted value iteration against theorem 4.1 (autombpo fvi)")

    text = "final returns with intervals"
    p = commands.add_parser("table", help=text, description=text, epilog=EPILOG)
    p.add_argument("runs", nargs="+", metavar="RUN")
    p.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the table as CSV")
    p.add_argument("--csv", action="store_true", help="print CSV instead of aligned text")
    _stage_option(p)

    text = "every evaluation of every hyper-episode that finished, as CSV"
    p = commands.add_parser("evaluations", help=text, description=text, epilog=EPILOG)
    p.add_argument("runs", nargs="+", metavar="RUN")

    text = "check sealed hyper-episodes against the format"
    p = commands.add_parser("check", help=text, description=text, epilog=EPILOG)
    p.add_argument("runs", nargs="+", metavar="RUN")

    text = "numbers and report of an experiment (autombpo experiment)"
    p = commands.add_parser("experiment", help=text, description=text, epilog=EPILOG)
    p.add_argument("experiment", type=Path, metavar="DIR/NAME.json",
                   help="or DIR, where it holds one experiment")
    p.add_argument("-o", "--output", type=Path, metavar="DIR",
                   help="where CSV files, figures and report go (default: DIR/report)")  # fmt: skip
    p.add_argument("--no-figures", action="store_true", help="numbers and report only")

    text = "compare the tables of a document with the CSV files that they are made of"
    p = commands.add_parser("tables", help=text, description=text, epilog=EPILOG)
    p.add_argument("documents", nargs="+", type=Path, metavar="FILE.md")
    p.add_argument("--write", action="store_true", help="make them again")
    return parser


def _theory():
    """The theory module; it comes with `autombpo fvi`."""
    try:
        from . import theory
    except ImportError as error:
        raise ValueError(f"theory figures are not available in this version ({error})") from error
    return theory


def _draw_experiment(options: argparse.Namespace):
    """Figures 2 and 4, 3, and D.3, of the runs of an experiment."""
    if len(options.runs) > 1 or options.command not in ("returns", "schedule", "controller"):
        raise ValueError(f"{options.runs[0]}: an experiment stands alone, in returns, schedule or "
                         "controller; `experiment` makes its tables")  # fmt: skip
    experiment = Experiment.read(options.runs[0])
    role = "train" if options.command == "controller" else "test"
    runs = figures.select(experiment.load(role), options.task, options.method)
    if options.command == "controller":
        return figures.training(runs)
    options.stage = "all"
    return _draw(options, runs)


def _draw(options: argparse.Namespace, runs: Runs):
    if options.command == "returns":
        band = plots.Band(options.band)
        published = read_csv(options.published) if options.published else ()
        return plots.returns(runs, band, options.stage, not options.no_baseline, published)
    if options.command == "schedule":
        theory = _theory().schedule_line if options.theory else None
        return plots.schedule(runs, options.bins, options.stage, theory, options.effective)
    if options.command == "controller":
        return plots.controller(runs)
    if options.command == "effects":
        return plots.effects(runs)
    if options.command == "time":
        return plots.time(runs)
    return compare.compare(runs, options.stage, options.reference, options.first)


def _run_table(options: argparse.Namespace, runs: Runs) -> int:
    rows = compare.table(runs, options.stage)
    values = [compare.TABLE_HEADER] + [[_cell(value) for value in row] for row in rows]
    if options.csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(values)
    else:
        print(compare.format_table(rows))
    if options.output is not None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        with options.output.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(values)
        print(f"wrote {options.output}", file=sys.stderr)
    return 0


def _run_evaluations(runs: Runs) -> int:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(EVALUATIONS)
    for run in runs:
        for episode in finished(run.episodes):
            attributes = episode.attributes
            who = (episode.env, episode.method, attributes["seed"], attributes["hyper_episode"])
            for step, value in zip(episode.epochs["env_step"], episode.epochs["eval_return_mean"]):
                writer.writerow([*who, step, _cell(value)])
    return 0


def _run_check(runs: Runs) -> int:
    episodes = [episode for run in runs for episode in run.episodes]
    wrong = 0
    for episode in episodes:
        problems = check_episode(episode)
        wrong += len(problems)
        for problem in problems:
            print(f"{episode.path}: {problem}")
    policies = sum(len(run.policies) for run in runs)
    for run in runs:
        problems = check_policies(run)
        wrong += len(problems)
        for problem in problems:
            print(problem)
    wrong += len(runs.skipped)
    print(f"{len(episodes)} hyper-episodes and {policies} controllers checked, {wrong} problems")
    return 1 if wrong else 0


def _run_experiment(options: argparse.Namespace) -> int:
    from . import experiment_report

    experiment = Experiment.read(options.experiment)
    output = options.output or experiment.path / "report"
    for path in experiment_report.write(experiment, output, not options.no_figures):
        print(path)
    return 0


def _run_tables(options: argparse.Namespace) -> int:
    from . import tables

    differ = 0
    for document in options.documents:
        text, again = tables.remake(document)
        if text != again and options.write:
            document.write_text(again, encoding="utf-8")
            print(f"wrote {document}")
        elif text != again:
            differ += 1
            sys.stdout.writelines(tables.difference(document, text, again))
    return 1 if differ else 0


def _dispatch(options: argparse.Namespace) -> int:
    if options.command == "experiment":
        return _run_experiment(options)
    if options.command == "tables":
        return _run_tables(options)
    if options.command == "fvi":
        written = _theory().plot_fvi(options.runs, options.output)
        for path in written or [options.output]:
            print(path)
        return 0
    if any(is_experiment(run) for run in options.runs):
        return _save(options, _draw_experiment(options))
    runs = load(*options.runs, unfinished=options.command == "returns")
    if options.command == "table":
        return _run_table(options, runs)
    if options.command == "evaluations":
        return _run_evaluations(runs)
    if options.command == "check":
        return _run_check(runs)
    if options.task or options.method:
        runs = figures.select(runs, options.task, options.method)
    return _save(options, _draw(options, runs))


def _save(options: argparse.Namespace, drawing: Drawing) -> int:
    paths = drawing.save(options.output)
    if options.csv:
        drawing.write(sys.stdout)
    for path in paths:
        print(path, file=sys.stderr if options.csv else sys.stdout)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    options = _parser().parse_args(arguments)
    return console.run("autombpo-plot", lambda: _dispatch(options))


if __name__ == "__main__":
    sys.exit(main())
