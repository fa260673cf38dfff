"""Records of two starts that share a run directory, each of which may stand while the other goes on (power).

The ways, of which each is taken where the first start is about to give a file or directory its name:

- found: the first has just named it, and stands; the second begins, finds it, and goes on to the end.
- late: the first stands before it names it; the second does all, and then the first goes on.
- meanwhile: the first stands before it names it; the second begins, and stands when it has looked for what is sealed,
  is about to take over the lease, or is in the middle of the same work; the first names it, and stands; the second
  goes on to the end.
- overtaken: the first stands before it names it; the second begins, names it, and stands; the first goes on to the
  end. So it does, being swept, where the first stands before it has even synced the file.

So nobody has synced the name when another one relies on it. Who stands is alive, so its lease is waited for.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crash_states import Operation, is_temporary

NAMING = ("link", "rename", "directory")
NOT_MEANT = re.compile(r"/lease/|/status\.json$")


def name_given(o: Operation) -> str:
    """The lasting name that an operation gives, or ""."""
    name = o.fields[-1] if o.kind in NAMING else ""
    return "" if is_temporary(name) or NOT_MEANT.search(name) else name


def place_of(operations: list[Operation], kinds: tuple[str, ...], name: str, field: int = -1) -> int | None:
    """The first of these kinds that concerns this name."""
    return next((i for i, o in enumerate(operations) if o.kind in kinds and o.fields[field] == name), None)


class Start:
    """A process that stands at some of its operations (POWER_PAUSE)."""

    def __init__(self, command: list[str], environment: dict[str, str], pauses: list[int]):
        pauses = sorted(set(pauses))
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        env={**environment, "POWER_PAUSE": ",".join(map(str, pauses))})
        self.code = self._wait()

    def _wait(self) -> int | None:
        """The exit code; None: it stands."""
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            return None
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return self.process.returncode

    def go_on(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)
        self.code = self._wait()

    def end(self) -> str:
        """Kills it, if it lives; what it said."""
        if self.code is None:
            self.process.kill()
            self._wait()
        return self.process.stderr.read()


@dataclass(frozen=True)
class Way:
    name: str
    of: str               # the name that is given
    first: int            # changes that the first start has made when it stands
    second: int = 0       # and the second one, in its own count; 0: it goes on to its end
    wakes: bool = False   # the first goes on to its end
    names: bool = False   # the first goes on by one change, which is the name

    def __str__(self) -> str:
        return f"{self.of} {self.name}, {self.first} and {self.second}"


def ways_alone(calm: list[Operation]) -> Iterator[Way]:
    """Those that are known from the record of one start."""
    for i, o in enumerate(calm):
        name = name_given(o)
        if name:
            yield Way("found", name, i + 1)
            yield Way("late", name, i, wakes=True)


def ways_meanwhile(calm: list[Operation], first: int, second: list[Operation], draw: random.Random) -> list[Way]:
    """Where the second start, which made these operations when the first one stood before a name, may stand."""
    name = name_given(calm[first])
    own = place_of(second, NAMING, name)
    if own is None:
        return []
    episode = re.search(r"(?:/|episode-)(\d{6})(?:\.h5|/|$)", name)
    lease = f"/run/lease/{episode[1]}" if episode else ""
    aside, taken = place_of(second, ("rename",), lease, 0), place_of(second, ("link", "rename"), lease)
    looked = place_of(second, ("sync",), "/run/episodes", 1)
    begun = taken + 2 if taken is not None else 0
    places = [aside, begun, looked and looked + 1, draw.randrange(begun, own) if begun < own else None]
    written = place_of(calm, ("link", "rename"), name)
    unsynced = written and place_of(calm, ("sync",), calm[written].fields[0], 1)
    return [*(Way("meanwhile", name, first, place, names=True) for place in sorted(set(filter(None, places)))
              if place <= own),
            *(Way("overtaken", name, k, own + 1, wakes=True) for k in (first, unsynced) if k)]


def together(way: Way, begin: Callable[[list[int]], Start]) -> tuple[list[int], str]:
    """The exit codes of both that came to their end, and what they said."""
    first = begin([way.first, *([way.first + 1] if way.names else [])])
    second = begin([way.second] if way.second else [])
    if way.names:
        first.go_on()
    if way.wakes:
        first.go_on()
    elif second.code is None:
        second.go_on()
    codes = [start.code for start in (first, second) if start.code is not None]
    return codes, first.end() + second.end()
