"""Sealed files, each by itself or many in one (docs/formats.md, section 1)."""

from __future__ import annotations

import re
from pathlib import Path

PACK_NAME = re.compile(r"^(\d+)-(\d+)\.tar$")
MEMBER_NAME = re.compile(r"^(\d+)\.h5$")
BLOCK = 512  # bytes; the parts of a tar archive begin at multiples
LINE = 56  # bytes of a line of its index
MOST_FILES = 1_000_000


def _packs(directory: Path) -> list[tuple[int, int, Path]]:
    """First and last index, and the path, of each pack."""
    found = []
    for path in sorted((directory / "packed").glob("*.tar")):
        match = PACK_NAME.match(path.name)
        first, last = map(int, match.groups()) if match else (0, -1)
        if 0 <= last - first < MOST_FILES:
            found.append((first, last, path))
    return found


def stored_in(path: Path) -> Path:
    """The file that has the bytes of a sealed file: itself, or a pack of its directory."""
    member = MEMBER_NAME.match(path.name)
    if member and not path.exists():
        for first, last, pack in _packs(path.parent):
            if first <= int(member[1]) <= last:
                return pack
    return path


def read_sealed(path: Path) -> bytes:
    """The bytes of a sealed file, wherever they are; OSError if they cannot be had."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        stored = stored_in(path)
        if stored == path:
            raise
    first, last, _ = next(pack for pack in _packs(path.parent) if pack[2] == stored)
    lines = (last - first + 1) * LINE
    with stored.open("rb") as file:
        end = file.seek(0, 2)
        index = end - 2 * BLOCK - -(-lines // BLOCK) * BLOCK
        file.seek(max(0, index + (int(path.stem) - first) * LINE))
        name, *place = file.read(LINE).split()
        if name != path.name.encode() or not all(number.isdigit() for number in place):
            raise OSError(f"{stored} is damaged: it does not tell where {path.name} is")
        start, size = map(int, place)
        file.seek(start)
        return file.read(size)


def sealed_files(directory: Path) -> list[Path]:
    """Names of the sealed files of a directory, in order; also of those that are in a pack."""
    found = set(directory.glob("*.h5"))
    for first, last, _ in _packs(directory):
        found.update(directory / f"{index:06d}.h5" for index in range(first, last + 1))
    return sorted(found)
