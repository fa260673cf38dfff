#!/usr/bin/env python3
"""docs/formats.md describes the files that are written: nothing that is not there, nothing left out.

usage: formats_test.py PROGRAM SOURCE_DIR

Makes short runs of several kinds and compares names, types, shapes and units of their HDF5 files, the keys
of their JSON and YAML and the names in their directories with the tables of the document. 77 = no h5py.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

try:
    import h5py
except ImportError:
    print("no h5py: skipped")
    sys.exit(77)

KINDS = {2: ("episode", "policy"), 3: ("episode",), 4: ("policy",), 8: ("play",)}
TYPE = r"\b(i8|i4|i1|u1|f8|f4|bool|text)\b"

# Events that no short run has: each with the source whose text shows its keys.
RARE = {"lost": "src/cluster/events.c", "extrapolation": "src/cluster/events.c"}

# Files that are gone when a run is complete, beside those of one that is stopped.
GOES = {"snapshot/N.hN"}

# Objects whose keys are not those of a format: ids of batch systems, names of files.
WITH_OTHER_KEYS = {"scheduler_ids", "task_files"}


@dataclass
class Item:
    """A dataset or attribute as the document has it: its types, its shape, its unit."""

    types: set[str]
    shape: list[str] | None = None
    unit: str | None = None


@dataclass
class Described:
    """Groups of a kind of file, each with datasets and attributes by name."""

    datasets: dict[str, dict[str, Item]] = field(default_factory=dict)
    attributes: dict[str, dict[str, Item]] = field(default_factory=dict)


def words(text: str) -> list[str]:
    return re.findall(r"`([\w<>]+)`", text)


def items_of(names: list[str], kind: str, unit: str | None) -> Iterator[tuple[str, Item]]:
    """Items from "(D,F) f8", "(T,O) f8, (T) f8, (T) u1" or "f4 or f8", one for each name."""
    shapes = [shape.split(",") for shape in re.findall(r"\(([^)]*)\)", kind)]
    types = re.findall(TYPE, kind)
    each = len(types) == len(names) and " or " not in kind
    for i, name in enumerate(names):
        shape = shapes[i if len(shapes) == len(names) else 0] if shapes else None
        yield name, Item({types[i]} if each else set(types), shape, unit)


def read_table(block: str, group: str, to: Described, kind: str) -> None:
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block.split("\n")]
    header = rows[0]
    unit_at = header.index("unit") if "unit" in header else None
    for row in rows[2:]:
        if "Episodes only" in row[-1] and kind != "episode":
            continue
        is_attribute = header[0] == "attribute" or row[0].startswith("attribute ")
        place = (to.attributes if is_attribute else to.datasets).setdefault(group, {})
        unit = row[unit_at] if unit_at is not None else None
        place.update(items_of(words(row[0]), row[1], unit))


def read_prose(block: str, group: str, to: Described) -> None:
    for name, kind in re.findall(rf"`(\w+)`\s\({TYPE}", block):
        to.attributes.setdefault(group, {})[name] = Item({kind})
    for name in re.findall(r"`(\w+)` = `", block):
        to.attributes.setdefault(group, {})[name] = Item({"text"})


def read_document(text: str) -> dict[str, Described]:
    """What sections 2, 3, 4 and 8 say, by kind of file."""
    described = {kind: Described() for kinds in KINDS.values() for kind in kinds}
    section, group = 0, "/"
    for block in text.split("\n\n"):
        if heading := re.match(r"#+ (\d+)", block):
            section = int(heading[1])
            place = re.search(r"`(/[\w/]+)`", block)
            group = place[1] if place and section in KINDS else "/"
        elif dataset := re.match(r"`(/[\w/]+)/(\w+)` (\([^)]*\) \w+)", block):
            for kind in KINDS.get(section, ()):
                described[kind].datasets[dataset[1]] = dict(items_of([dataset[2]], dataset[3], None))
            continue
        elif place := re.match(r"`(/[\w/<>]+)`", block):
            group = place[1]
        for kind in KINDS.get(section, ()):
            if block.startswith("|"):
                read_table(block, group, described[kind], kind)
            elif not block.startswith("* "):
                read_prose(block, group, described[kind])
    return described


def type_of(value: h5py.Dataset | h5py.AttributeManager, name: str | None = None) -> str:
    dtype = value.get_id(name).dtype if name else value.dtype
    if dtype.kind == "O" or dtype.kind == "S":
        return "text"
    if dtype.kind == "b":
        return "bool"
    return dtype.kind + str(dtype.itemsize)


def place_of(path: str) -> str:
    path = "/" + path.strip("/")
    return re.sub(r"^/heads/\w+$", "/heads/<head>", path)


class Comparison:
    def __init__(self, described: Described, kind: str):
        self.described, self.kind = described, kind
        self.seen: set[tuple[str, str]] = set()
        self.problems: list[str] = []

    def say(self, text: str) -> None:
        self.problems.append(f"{self.kind}: {text}")

    def attributes(self, thing: h5py.Group) -> None:
        group = place_of(thing.name)
        known = self.described.attributes.get(group, {})
        for name in thing.attrs:
            self.seen.add((group, name))
            if name not in known:
                self.say(f"attribute {name} of {group} is not in the document")
            elif known[name].types and type_of(thing.attrs, name) not in known[name].types:
                self.say(f"attribute {name} of {group} is {type_of(thing.attrs, name)}")

    def dataset(self, thing: h5py.Dataset, sizes: dict[str, int]) -> None:
        group, name = place_of(thing.parent.name), thing.name.rsplit("/", 1)[1]
        self.seen.add((group, name))
        item = self.described.datasets.get(group, {}).get(name)
        if item is None:
            self.say(f"dataset {thing.name} is not in the document")
            return
        if type_of(thing) not in item.types:
            self.say(f"{thing.name} is {type_of(thing)}")
        if not set(thing.attrs) == {"unit", "long_name"}:
            self.say(f"{thing.name} has the attributes {sorted(thing.attrs)}")
        elif item.unit not in (None, thing.attrs["unit"]):
            self.say(f"{thing.name} has the unit {thing.attrs['unit']}, not {item.unit}")
        shape = item.shape or []
        sizes |= {letter: size for letter, size in zip(shape, thing.shape) if letter not in sizes}
        expected = tuple(int(s) if s.isdigit() else sizes[s] for s in shape if s in sizes or s.isdigit())
        if expected != thing.shape:
            self.say(f"{thing.name} is {thing.shape}, not ({','.join(shape)})")

    def file(self, path: Path) -> None:
        with h5py.File(path) as file:
            self.attributes(file["/"])
            sizes: dict[str, dict[str, int]] = {}

            def visit(_: str, thing: h5py.Group | h5py.Dataset) -> None:
                if isinstance(thing, h5py.Group):
                    self.attributes(thing)
                else:
                    self.dataset(thing, sizes.setdefault(thing.parent.name, {}))

            file.visititems(visit)

    def rest(self) -> None:
        for places in (self.described.datasets, self.described.attributes):
            for group, names in places.items():
                for name in names.keys() - {n for g, n in self.seen if g == group}:
                    self.say(f"{name} of {group} is in no file")


# JSON ----------------------------------------------------------------------------------------------

Keys = dict[str, "Keys"]


def keys_in(text: str) -> Keys:
    """Keys from "`a` (what it is), `b` = {`c`, `d`}, `e` = `one | other`"."""
    while "(" in text and (stripped := re.sub(r"\([^()]*\)", "", text)) != text:
        text = stripped
    text = re.sub(r"= *`[^`]*`", "", text)
    keys: Keys = {}
    open_maps, last = [keys], keys
    for token in re.findall(r"`\w+`|[{}]", text):
        if token == "{":
            open_maps.append(last)
        elif token == "}":
            open_maps.pop()
        else:
            last = open_maps[-1].setdefault(token.strip("`"), {})
    return keys


def keys_of(value: object) -> Keys:
    """Keys of an object, and those of the objects in it; of a list those of its items."""
    if isinstance(value, list):
        return merged([keys_of(item) for item in value])
    return {key: keys_of(inner) for key, inner in value.items()} if isinstance(value, dict) else {}


def merged(many: list[Keys]) -> Keys:
    all_keys: Keys = {}
    for keys in many:
        for key in keys:
            all_keys[key] = merged([all_keys.get(key, {}), keys[key]])
    return all_keys


def compare_keys(where: str, documented: Keys, real: Keys) -> Iterator[str]:
    for key in sorted(documented.keys() - real.keys()):
        yield f"{where}: {key} is in no file"
    for key in sorted(real.keys() - documented.keys()):
        yield f"{where}: {key} is not in the document"
    for key in sorted(documented.keys() & real.keys() - WITH_OTHER_KEYS):
        yield from compare_keys(f"{where}: {key}", documented[key], real[key])


def json_problems(text: str, source: Path, directories: list[Path]) -> Iterator[str]:
    section = text[text.index("\n## 6.") : text.index("\n## 7.")]
    for name in ("starts.jsonl", "status.json"):
        bullet = re.search(rf"^\* `{name}`(.*?)readers must accept", section, re.S | re.M)
        real = [json.loads(line) for d in directories for line in (d / name).read_text().splitlines()]
        yield from compare_keys(name, keys_in(bullet[1] if bullet else ""), keys_of(real))
    events: dict[str, list[Keys]] = {}
    for directory in directories:
        for line in (directory / "metrics.jsonl").read_text().splitlines():
            event = json.loads(line)
            keys = keys_of(event)
            if not {"time", "event"} <= keys.keys():
                yield f"metrics.jsonl: no time or event in {line}"
            events.setdefault(event["event"], []).append(
                {key: keys[key] for key in keys.keys() - {"time", "event"}})  # fmt: skip
    table = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.M))
    for name in sorted(table.keys() | events.keys()):
        documented = keys_in(table.get(name, ""))
        if name in events:
            where = f"event {name}" if name in table else f"event {name}, which is not in the document"
            yield from compare_keys(where, documented, merged(events[name]))
        elif name in RARE:
            code = (source / RARE[name]).read_text(encoding="utf-8")
            missing = [key for key in [name, *documented] if f'"{key}"' not in code]
            yield from (f"event {name}: {RARE[name]} has no {key}" for key in missing)
        else:
            yield f"event {name} is in no file"


# Directories and YAML ------------------------------------------------------------------------------


def pattern_of(name: str) -> str:
    return re.sub(r"\d+|\bN\b", "N", name)


def directory_problems(text: str, directories: list[Path]) -> Iterator[str]:
    listing = re.search(r"^## 1\..*?```\n(.*?)```", text, re.S | re.M)
    entries = re.findall(r"^  (\S.*?)(?:  |$)", listing[1] if listing else "", re.M)
    documented = {pattern_of(name) for entry in entries for name in entry.split(" ") if name}
    real = {pattern_of(str(file.relative_to(directory)))
            for directory in directories for file in directory.rglob("*") if file.is_file()}  # fmt: skip
    folders = {name for name in documented if name.endswith("/")}
    for name in sorted(real - documented):
        if not any(name.startswith(folder) for folder in folders):
            yield f"run directory: {name} is not in the document"
    for name in sorted(documented - real - GOES):
        if not any((directory / name).is_dir() for directory in directories):
            yield f"run directory: {name} is in none"


def yaml_problems(text: str, baseline: Path) -> Iterator[str]:
    example = re.search(r"^## 7\..*?```yaml\n(.*?)```", text, re.S | re.M)
    documented = re.findall(r"^(\w+):", example[1] if example else "", re.M)
    real = re.findall(r"^(\w+):", baseline.read_text(), re.M)
    if documented != real:
        yield f"baseline: the document has {documented}, the file {real}"


# ---------------------------------------------------------------------------------------------------


def make_files(program: Path, source: Path, to: Path) -> list[Path]:
    """Runs of several kinds, baseline.yaml and play.h5; returns the run directories."""

    def call(*arguments: str | Path, code: int = 0) -> None:
        command = [str(program), *map(str, arguments)]
        done = subprocess.run(command, cwd=to, capture_output=True, text=True)
        if done.returncode != code:
            raise SystemExit(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")

    tiny = to / "tiny.yaml"
    tiny.write_text((source / "tests/mpi/tiny.yaml").read_text(encoding="utf-8").replace(
        "episodes_per_update: 3", "episodes_per_update: 1"))  # fmt: skip
    methods = source / "configs/methods"
    call("baseline", "-q", "-o", "baseline.yaml", tiny, "scheduler.hyper_episodes=2", "run.dir=base")
    given = "scheduler.baseline=baseline.yaml"
    call("train", "-q", tiny, given, "run.dir=train", "checkpoint.every=0.1s")
    stopped = subprocess.Popen(
        [program, "train", "-q", tiny, methods / "mbpo.yaml", "run.dir=stopped", "hyper.apply_epochs=1000",
         "log.transitions=false", "checkpoint.every=0.1s"], cwd=to)  # fmt: skip
    while stopped.poll() is None and not any(to.glob("stopped/checkpoint/*/gen-*.h5")):
        time.sleep(0.05)
    stopped.send_signal(signal.SIGUSR1)
    if stopped.wait() != 75:
        raise SystemExit(f"a run that is to stop: exit code {stopped.returncode}")
    call("train", "-q", tiny, methods / "pbt.yaml", given, "run.dir=pbt", "pbt.members=2",
         "pbt.interval=2", "pbt.score_epochs=1")  # fmt: skip
    call("apply", "-q", tiny, "scheduler.controller=train", "run.dir=apply")
    call("schedule", "train", "-o", "schedule.csv")
    call("train", "-q", tiny, methods / "replay.yaml", "scheduler.schedule=schedule.csv", "run.dir=replay",
         "scheduler.hyper_episodes=1", "run.pack=true")  # fmt: skip
    call("train", "-q", tiny, methods / "external.yaml", "run.dir=external",
         f"external.command={sys.executable} '{source / 'docs/examples/controllers/rule.py'}'")
    call("play", "--episodes", "2", "--states", "play.h5", "train")
    return [to / name for name in ("base", "train", "stopped", "pbt", "apply", "replay", "external")]


def main() -> int:
    program, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    text = (source / "docs/formats.md").read_text(encoding="utf-8")
    problems: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        directories = make_files(program, source, Path(place))
        files = {"episode": [f for d in directories for f in d.glob("episodes/*.h5")],
                 "policy": [f for d in directories for f in d.glob("policy/*.h5")],
                 "play": [Path(place) / "play.h5"]}  # fmt: skip
        for kind, described in read_document(text).items():
            comparison = Comparison(described, kind)
            for file in files[kind]:
                comparison.file(file)
            comparison.rest()
            problems += comparison.problems
        problems += json_problems(text, source, directories)
        problems += directory_problems(text, directories)
        problems += yaml_problems(text, Path(place) / "baseline.yaml")
    for problem in sorted(set(problems)):
        print(problem)
    print(f"{len(set(problems))} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
