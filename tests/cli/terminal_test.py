#!/usr/bin/env python3
"""On a terminal a run tells how far it is in one line, drawn again in its place and never wider than the terminal.

usage: terminal_test.py PROGRAM SOURCE_DIR
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

program, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
DRAWN = "\r\x1b[K"


def on_terminal(columns: int, *words: object) -> str:
    """What the program writes to a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([program, *map(str, words)], stderr=theirs, stdout=subprocess.DEVNULL) as run:
        os.close(theirs)
        text = b""
        while True:
            try:
                text += os.read(ours, 65536)
            except OSError:  # the other side is closed
                break
        os.close(ours)
        assert run.wait() == 0, text
    return text.decode(errors="replace")


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        for columns in (40, 400):
            # long enough that it is drawn while it runs, on any machine
            text = on_terminal(columns, "train", source / "tests/mpi/tiny.yaml", "scheduler.kind=fixed",
                               "scheduler.baseline=", "scheduler.hyper_episodes=2", "hyper.apply_epochs=30",
                               f"run.dir={place}/{columns}")
            # a warning stands where the line was left
            lines = [re.split(r"[\r\n]|warning:", drawn)[0] for drawn in text.split(DRAWN)[1:]]
            assert len(lines) > 1, repr(text)
            assert all(len(line) < columns and "ETA" in line for line in lines), lines
            assert any("samples/s" in line for line in lines) == (columns == 400), lines
            assert "100%" in lines[-1] and text.endswith("\n"), repr(text)


if __name__ == "__main__":
    main()
