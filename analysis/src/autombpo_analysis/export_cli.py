"""Command line: autombpo-export RUN... --to FORMAT -o DIR."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import (
    __version__,
    console,
    export,
    export_data,
    export_hyper,
    export_net,
    export_tensorboard,
)
from .experiment import Experiment, is_experiment
from .runs import load, run_directories

FORMATS = {
    "csv": (export.to_csv, "epochs.csv and decisions.csv"),
    "parquet": (export.to_parquet, "epochs.parquet and decisions.parquet"),
    "npz": (export_net.to_npz, "columns and networks as numpy arrays"),
    "onnx": (export_net.to_onnx, "policies and controllers as models"),
    "minari": (export_data.to_minari_all, "data sets; open with MINARI_DATASETS_PATH=DIR"),
    "d4rl": (export_data.to_d4rl, "a flat HDF5 file for each hyper-episode with transitions"),
    "tensorboard": (export_tensorboard.to_tensorboard, "event files; --follow: as a run goes"),
}


def _parser() -> argparse.ArgumentParser:
    kinds = "\n".join(f"  {name:<12} {text}" for name, (_, text) in FORMATS.items())
    parser = argparse.ArgumentParser(
        prog="autombpo-export",
        description="Runs for other programs, written by their own libraries.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"FORMAT, and what DIR then holds:\n{kinds}\n\n"
        "RUN is a run directory, a directory with runs below it, a pattern, or a sealed\n"
        "hyper-episode; for minari also the directory of an experiment, whose hyper-episodes\n"
        "become data sets of the hyper-MDP by task, method and role, with a data card.\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage.",
    )
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--to", required=True, choices=tuple(FORMATS), metavar="FORMAT",
                        help=", ".join(FORMATS))  # fmt: skip
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR",
                        help="directory to write into; it is made")  # fmt: skip
    parser.add_argument("--follow", action="store_true",
                        help="tensorboard: write epochs as they come until all end")  # fmt: skip
    parser.add_argument("--interval", type=float, default=5.0, metavar="SECONDS",
                        help="of --follow, between two looks (default: 5)")  # fmt: skip
    parser.add_argument("-V", "--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _export(options: argparse.Namespace) -> None:
    if options.output.exists() and not options.output.is_dir():
        raise ValueError(f"{options.output}: is a file, expected a directory")
    if options.follow:
        directories = [d for argument in options.runs for d in run_directories(Path(argument))]
        if not directories:
            raise ValueError(f"no run directory in {', '.join(options.runs)}")
        export_tensorboard.follow(directories, options.output, options.interval)
        return
    if options.to == "minari" and is_experiment(Path(options.runs[0])):
        if len(options.runs) > 1:
            raise ValueError(f"{options.runs[0]}: an experiment stands alone")
        experiment = Experiment.read(options.runs[0])
        for path in export_hyper.to_minari_of_experiment(experiment, options.output):
            print(path)
        return
    for path in FORMATS[options.to][0](load(*options.runs), options.output):
        print(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.follow and options.to != "tensorboard":
        parser.error(f"--follow: --to {options.to} cannot be written as a run goes")
    code = console.run("autombpo-export", lambda: _export(options))
    return 0 if options.follow and code == console.INTERRUPTED else code  # how --follow usually ends


if __name__ == "__main__":
    sys.exit(main())
