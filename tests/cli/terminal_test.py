#!/usr/bin/env python3
"""On a terminal a run tells how far it is in one line, drawn again in its place and never wider than the terminal.
Whatever else it says begins a line of its own. And `top` gives the terminal back while it is stopped.

usage: terminal_test.py PROGRAM SOURCE_DIR
"""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

program, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
DRAWN = "\r\x1b[K"
ALTERNATE, USUAL = "\x1b[?1049h", "\x1b[?1049l"  # screens


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


def stop_and_go_on(run: Path) -> None:
    """Ctrl-Z and fg of a shell with `top` in it."""
    shell, terminal = pty.fork()
    if shell == 0:
        os.execlp("bash", "bash", "--norc", "--noediting", "-i")

    def until(end: str) -> str:
        text = ""
        while not text.endswith(end):
            text += os.read(terminal, 65536).decode(errors="replace")
        return text

    def typed(keys: str, end: str) -> str:
        os.write(terminal, keys.encode())
        return until(end)

    typed("PS1=REA''DY\n", "READY")
    before = typed("stty -g\n", "READY").split()[-2]
    for keys in f"{program} top -d 0.2 '{run}'\n", "fg\n":
        assert typed(keys, "q quits").count(ALTERNATE) == 1
        stopped = typed("\x1a", "READY")
        assert USUAL in stopped and "Stopped" in stopped, repr(stopped)
        assert typed("stty -g\n", "READY").split()[-2] == before
    typed("fg\n", "q quits")
    ended = typed("q", "READY")
    assert ended.count(USUAL) == 1 and "Stopped" not in ended, repr(ended)
    os.write(terminal, b"exit\n")
    os.waitpid(shell, 0)


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        for columns in (40, 400):
            # long enough that it is drawn while it runs, on any machine
            text = on_terminal(columns, "train", source / "tests/mpi/tiny.yaml", "scheduler.kind=fixed",
                               "scheduler.baseline=", "scheduler.hyper_episodes=2", "hyper.apply_epochs=120",
                               f"run.dir={place}/{columns}")
            said = text.split(DRAWN)[1:]
            warnings = [line for line in said if line.startswith("warning:")]
            assert warnings and text.count("warning:") == len(warnings), repr(text)
            assert all(line.endswith("\r\n") and line.count("\n") == 1 for line in warnings), warnings
            lines = [line.rstrip("\r\n") for line in said if line not in warnings]
            assert len(lines) > 1, repr(text)
            assert all(len(line) < columns and "ETA" in line for line in lines), lines
            assert any("samples/s" in line for line in lines) == (columns == 400), lines
            assert "100%" in lines[-1] and text.endswith("\n"), repr(text)
        stop_and_go_on(Path(place) / "40")


if __name__ == "__main__":
    main()
