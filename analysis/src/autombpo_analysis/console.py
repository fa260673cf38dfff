"""What the console scripts share: each warning and error is one line, each end an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable

from .io import FormatError

FAILED = 1
INTERRUPTED = 130
CLOSED_PIPE = 141  # 128 + SIGPIPE, as the shell says of a program that the signal ended


def stage(text: str) -> str:
    """The argument of --stage."""
    if text not in ("auto", "all", "last") and not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}': expected all, last, or a stage's number")
    return text


def said(error: BaseException) -> str:
    """What to tell of an error: of one of the system the file and the reason, without its number."""
    if isinstance(error, FileExistsError):  # of mkdir
        return f"{error.filename}: is a file, expected a directory"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def run(name: str, work: Callable[[], int | None]) -> int:
    """Do the work of a script; returns its exit code, 0 where the work says none."""

    def warn(message, category, filename, lineno, file=None, line=None) -> None:
        print(f"{name}: warning: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = warn
        try:
            code = work()
            sys.stdout.flush()
        except BrokenPipeError:  # its reader has what it wanted (| head)
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return CLOSED_PIPE
        except KeyboardInterrupt:
            return INTERRUPTED
        except (FormatError, ValueError, ImportError, OSError) as error:
            print(f"{name}: {said(error)}", file=sys.stderr)
            return FAILED
    return code or 0
