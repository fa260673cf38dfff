"""The states that a loss of power may leave of a run, made of its record (power_shim.c).

What POSIX promises: fsync of a file keeps what was written to it until then; fsync of a directory
keeps its names as they are. All else, since the last one, may be lost, each operation by itself.
So at each point of a record there are *pending* operations, and a state is what is kept of them:

- names: a directory, a file or a link that was made, a name that was removed; a renaming is two of
  them, the new name and the end of the old one. Of the last RECENT pending ones all sets of up to
  three are lost, and all sets of up to two kept where all others are lost; and each directory goes
  back to each moment since its sync, while the others keep everything, or nothing.
- bytes: a file that was written and not synced is whole; as it was at its sync; of its new size,
  with zeros; half of its writes are done; its last write is torn at a sector; a sector in the
  middle is missing; or only its last write is done. One file at a time, and all at once; with the
  names that lose at most one operation, or all.

Points are after each operation but the writes to a file that has only a temporary name: of these
there is one, in the middle of each.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

DIRECTORY = -1
RECENT = 12
SECTOR = 512


@dataclass(frozen=True)
class Operation:
    kind: str
    fields: tuple[str, ...]
    data: bytes = b""


def read_record(record: bytes) -> list[Operation]:
    operations, at = [], 0
    while at < len(record):
        end = record.index(b"\n", at)
        kind, *fields = record[at:end].decode().replace("/./", "/").split("\t")
        size = int(fields[2]) if kind == "write" else 0
        at = end + 1 + size
        operations.append(Operation(kind, tuple(fields), record[end + 1:at]))
    return operations


def changed(data: bytearray, at: int, piece: bytes | None) -> None:
    """A write, or (None) a cut."""
    if piece is None:
        del data[at:]
    data.extend(bytes(max(0, at - len(data))))
    if piece is not None:
        data[at:at + len(piece)] = piece


@dataclass
class File:
    synced: bytes = b""
    data: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    published: bytes | None = None   # what it held when it got its name
    order: int = 0                   # files get their names one after the other
    held: list[bytes] = field(default_factory=list)

    def change(self, at: int, piece: bytes | None) -> None:
        changed(self.data, at, piece)
        self.pending.append((at, piece))
        self.held = []

    def sync(self) -> None:
        self.synced, self.pending, self.held = bytes(self.data), [], []

    def _with(self, operations: list) -> bytes:
        data = bytearray(self.synced)
        for at, piece in operations:
            changed(data, at, piece)
        return bytes(data)

    def contents(self) -> list[bytes]:
        """What the disk may hold of it; the first is all of it."""
        self.held = self.held or self._contents()
        return self.held

    def _contents(self) -> list[bytes]:
        whole = bytes(self.data)
        if not self.pending:
            return [whole]
        at, piece = self.pending[-1]
        torn = [*self.pending[:-1], (at, piece and piece[:len(piece) // 2 // SECTOR * SECTOR])]
        middle = len(whole) // 2 // SECTOR * SECTOR
        old = self.synced[middle:].ljust(SECTOR, b"\0")[:len(whole[middle:middle + SECTOR])]
        hole = whole[:middle] + old + whole[middle + SECTOR:]
        return list(dict.fromkeys([
            whole, self.synced, self.synced + bytes(max(0, len(whole) - len(self.synced))),
            self._with(self.pending[:len(self.pending) // 2]), self._with(torn), hole,
            self._with(self.pending[-1:])]))


def parent(path: str) -> str:
    return path.rpartition("/")[0]


def is_temporary(path: str) -> bool:
    return path.endswith(".tmp")


class Disk:
    """Names (path: number of a file, or DIRECTORY) and files, with what is not yet sure."""

    def __init__(self, without: tuple[str, str] | None = None):
        self.without = without  # plant: (file or names, pattern of paths) whose syncs are not made
        self.left_out = 0
        self.sure: dict[str, int] = {}
        self.now: dict[str, int] = {}
        self.pending: list[tuple[str, int | None]] = []
        self.files: list[File] = []
        self.inodes: dict[str, int] = {}

    def _name(self, path: str, what: int | None) -> None:
        self.pending.append((path, what))
        if what is None:
            self.now.pop(path, None)
        else:
            self.now[path] = what
        if what not in (None, DIRECTORY) and not is_temporary(path):
            file = self.files[what]
            file.published = bytes(file.data)
            file.order = sum(other.published is not None for other in self.files)

    def is_directory(self, path: str) -> bool:
        return self.now.get(path, DIRECTORY) == DIRECTORY

    def _sync(self, inode: str, path: str, _: str) -> None:
        names = self.is_directory(path)
        if self.without and self.without[0] == ("names" if names else "file") and (
                re.search(self.without[1], path)):
            self.left_out += not names or any(parent(name) == path for name, _ in self.pending)
            return
        if not names:
            self.files[self.inodes[inode]].sync()
            return
        self._keep_names(path)

    def _keep_names(self, directory: str) -> None:
        for name, what in (change for change in self.pending if parent(change[0]) == directory):
            self._set(self.sure, name, what)
        self.pending = [change for change in self.pending if parent(change[0]) != directory]

    @staticmethod
    def _set(names: dict[str, int], name: str, what: int | None) -> None:
        if what is None:
            names.pop(name, None)
        else:
            names[name] = what

    def apply(self, o: Operation) -> None:
        if o.kind == "directory":
            self._name(o.fields[0], DIRECTORY)
        elif o.kind == "make":
            self.inodes[o.fields[0]] = len(self.files)
            self.files.append(File())
            self._name(o.fields[1], len(self.files) - 1)
        elif o.kind == "link":
            self._name(o.fields[1], self.now[o.fields[0]])
        elif o.kind == "rename":
            self._name(o.fields[1], self.now[o.fields[0]])
            self._name(o.fields[0], None)
        elif o.kind == "remove":
            self._name(o.fields[0], None)
        elif o.kind == "write":
            self.files[self.inodes[o.fields[0]]].change(int(o.fields[1]), o.data)
        elif o.kind == "cut":
            self.files[self.inodes[o.fields[0]]].change(int(o.fields[1]), None)
        else:
            assert o.kind == "sync", o.kind
            self._sync(*o.fields)

    # States --------------------------------------------------------------------------------------

    def _lost(self) -> Iterator[frozenset[int]]:
        """Which of the pending names are lost."""
        count = len(self.pending)
        everything = frozenset(range(count))
        recent = range(max(0, count - RECENT), count)
        for size in range(4):
            yield from map(frozenset, itertools.combinations(recent, size))
        for size in range(3):
            yield from (everything - set(kept) for kept in itertools.combinations(recent, size))
        of: dict[str, list[int]] = {}
        for i, (path, _) in enumerate(self.pending):
            of.setdefault(parent(path), []).append(i)
        for mine in of.values():
            for kept in range(len(mine)):
                yield frozenset(mine[kept:])
                yield everything - set(mine[:kept])

    def _names(self, lost: frozenset[int]) -> dict[str, int]:
        names = dict(self.sure)
        for i, (path, what) in enumerate(self.pending):
            if i not in lost:
                self._set(names, path, what)
        reachable: dict[str, int] = {}
        for path in sorted(names):
            above = parent(path)
            if above == "" or reachable.get(above) == DIRECTORY:
                reachable[path] = names[path]
        return reachable

    def _contents(self, names: dict[str, int], held: dict[int, list[bytes]]) -> Iterator[dict]:
        """Files of which the disk does not hold all: number, bytes."""
        loose = {n for path, n in names.items() if n != DIRECTORY and len(held[n]) > 1}
        for n in loose:
            for content in held[n][1:]:
                yield {n: content}
        for k in range(1, 7):
            yield {n: held[n][k % len(held[n])] for n in loose}

    def states(self) -> Iterator[dict[str, tuple[int, bytes] | None]]:
        """Path: number and bytes of its file; None for a directory. The first is without a loss."""
        held = {n: self.files[n].contents() for n in {*self.now.values(), *self.sure.values(),
                *(what for _, what in self.pending)} - {DIRECTORY, None}}
        for lost in dict.fromkeys(self._lost()):
            names = self._names(lost)
            some = [{}]
            if len(lost) <= 1 or len(lost) == len(self.pending):
                some.extend(self._contents(names, held))
            for content in some:
                yield {path: None if n == DIRECTORY else (n, content.get(n, held[n][0]))
                       for path, n in names.items()}


class Forgetful(Disk):
    """The same disk as another one, but that the names in a directory were not synced at some moment."""

    def __init__(self, disk: Disk, place: str):
        super().__init__()
        self.place = place  # whose later syncs are not made either
        self.disk = disk
        self.now, self.files, self.inodes = disk.now, disk.files, disk.inodes
        self.sure, self.pending = dict(disk.sure), list(disk.pending)

    def follow(self, o: Operation, added: list) -> None:
        """What was done to the other one, which has added these names."""
        self.pending.extend(added)
        if o.kind == "sync" and self.is_directory(o.fields[1]) and o.fields[2] != self.place:
            self._keep_names(o.fields[1])

    def remembers(self) -> bool:
        """Whether it has become the same as the other one."""
        return len(self.pending) == len(self.disk.pending)


def follow_places(o: Operation, disk: Disk, forgetful: dict[str, Forgetful], known: set[str]) -> None:
    """Does an operation to a disk, and to those that lack the syncs of one place each."""
    count = len(disk.pending)
    if o.kind == "sync" and disk.is_directory(o.fields[1]) and o.fields[2] not in {*forgetful, *known}:
        forgetful[o.fields[2]] = Forgetful(disk, o.fields[2])
    disk.apply(o)
    added = disk.pending[count:] if o.kind != "sync" else []
    for place, other in list(forgetful.items()):
        other.follow(o, added)
        if other.remembers():
            del forgetful[place]


def is_point(before: Operation, disk: Disk) -> bool:
    """Whether power is lost behind this operation."""
    if before.kind not in ("write", "cut"):
        return True
    number = disk.inodes[before.fields[0]]
    return any(n == number and not is_temporary(path) for path, n in disk.now.items()) or (
        len(disk.files[number].pending) == 8)
