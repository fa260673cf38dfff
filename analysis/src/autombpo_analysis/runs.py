"""Several runs at once: reading them, and shortcuts over all their trials."""

from __future__ import annotations

import glob
import warnings
from pathlib import Path

from . import curves, export
from .io import Episode, FormatError, PathLike
from .pack import stored_in
from .run import Run, SkippedFileWarning, read_run


class Runs(list):
    """Several runs, with shortcuts over all their trials."""

    @property
    def skipped(self) -> list[tuple[Path, str]]:
        """Files that were left out, with the reason."""
        return [item for run in self for item in run.skipped]

    def trials(self, stage: str = "auto") -> list[Episode]:
        """Hyper-episodes that represent the runs (see Run.trials)."""
        return [episode for run in self for episode in run.trials(stage)]

    def groups(self, stage: str = "auto") -> dict[tuple[str, str], list[Episode]]:
        """Trials by (env, method), in order of appearance."""
        result: dict[tuple[str, str], list[Episode]] = {}
        for episode in self.trials(stage):
            result.setdefault((episode.env, episode.method), []).append(episode)
        return result

    def curve(self, column: str = "eval_return_mean", stage: str = "auto"):
        """(steps (T), values (n, T)) of a column of /epochs over the trials that finished."""
        found = curves.learning_curves(self.trials(stage), column)
        return found.steps, found.values

    def schedule(self, bins: int = 40, stage: str = "auto"):
        """Hyperparameter schedules of the trials (see curves.schedules)."""
        return curves.schedules(self.trials(stage), bins)

    def to_pandas(self, table: str = "epochs"):
        """One pandas.DataFrame over all hyper-episodes; `table` is `epochs` or `decisions`."""
        return export.to_pandas(self, table)

    def to_polars(self, table: str = "epochs"):
        """The same as a polars.DataFrame."""
        return export.to_polars(self, table)


def run_directories(path: Path) -> list[Path]:
    """Run directories at or below `path` (a run directory has a directory `episodes`)."""
    if (path / "episodes").is_dir():
        return [path]
    return sorted(found.parent for found in path.rglob("episodes") if found.is_dir())


def _matches(argument: PathLike) -> list[Path]:
    """What a path or pattern names. A pattern with ** meets everything in a run, of which its
    directory is meant."""
    if stored_in(Path(argument)).exists():
        return [Path(argument)]
    found = [Path(match) for match in sorted(glob.glob(str(argument), recursive=True))]
    return [match for match in found if match.is_dir()] if "**" in str(argument) else found


def load(*paths: PathLike, unfinished: bool = False) -> Runs:
    """Read runs.

    Parameters
    ----------
    paths
        Run directories, directories with run directories somewhere below, glob patterns of
        either (`**` included), or single sealed hyper-episodes.
    unfinished
        Whether hyper-episodes that are not sealed yet are read too (`Run.unfinished`), from
        metrics.jsonl: for looking at a run while it runs.

    Returns
    -------
    Runs
        In order of the arguments, each run once. Files that are not complete, and, among several,
        runs without any complete hyper-episode and directories without a run are left out with a
        SkippedFileWarning.

    Raises
    ------
    FileNotFoundError
        A path or pattern matches nothing.
    FormatError
        There is no run at all.
    """
    directories: dict[Path, None] = {}
    runs = Runs()
    problems = []
    for argument in paths:
        matches = _matches(argument)
        if not matches:
            raise FileNotFoundError(f"{argument}: no such file or directory")
        for match in matches:
            if match.suffix == ".h5" and stored_in(match).is_file():
                runs.append(Run(match, [Episode.read(match)]))
            elif match.is_dir():
                found = run_directories(match)
                directories.update(dict.fromkeys(found))
                if not found and match == Path(argument):
                    problems.append(f"{match}: no run directory in it")
    for directory in directories:
        try:
            runs.append(read_run(directory, unfinished))
        except FormatError as error:
            problems.append(str(error))
    if not runs:
        searched = ", ".join(str(path) for path in paths)
        raise FormatError("; ".join(problems) or f"{searched}: no run directory in it")
    for problem in problems:
        warnings.warn(f"left out {problem}", SkippedFileWarning, stacklevel=2)
    return runs
