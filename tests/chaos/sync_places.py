"""From where in the program a sync comes, as names of functions (power)."""

from __future__ import annotations

import bisect
import re
import subprocess

DEPTH = 4                                     # so many callers tell two places apart
EVERYBODY = {"files_sync", "files_sync_parent"}  # calls these
CLONE = re.compile(r"\.(part|constprop|isra|cold)\b.*")


class Program:
    def __init__(self, path: str):
        listed = subprocess.run(["nm", "-n", "--defined-only", path], text=True, check=True, capture_output=True)
        symbols = [line.split() for line in listed.stdout.splitlines()]
        self.symbols = [(int(at, 16), CLONE.sub("", name)) for at, kind, name in symbols if kind in "tT"]
        self.starts = [at for at, _ in self.symbols]
        self.sites: dict[str, list[tuple[int, ...]]] = {}

    def _function(self, returns_to: int) -> str:
        return self.symbols[bisect.bisect_right(self.starts, returns_to - 1) - 1][1]

    def place(self, offsets: str) -> str:
        """Names of functions, the innermost first; the second of two calls by the same ones is "... (2)"."""
        calls = [int(offset, 16) for offset in offsets.split(",") if offset]
        calls = [call for call in calls if self._function(call) not in EVERYBODY][:DEPTH]
        names = " < ".join(map(self._function, calls))
        sites = self.sites.setdefault(names, [])
        if tuple(calls) not in sites:
            sites.append(tuple(calls))
        number = sites.index(tuple(calls)) + 1
        return names if number == 1 else f"{names} ({number})"
