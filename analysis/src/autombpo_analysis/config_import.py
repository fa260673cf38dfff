"""What a configuration of another program becomes here, and what of it cannot be expressed.

A reader gives the entries of a file, each with its line. A program is a table of what becomes of its
keys: the names of options of ours, or a function. What a file leaves out gets that program's default,
so that the result does not depend on ours. A key that no table has is said, like every other one that
cannot be expressed: nothing is left out in silence.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class ImportProblem(Exception):
    """What keeps a file from being read at all."""


@dataclass
class Entry:
    key: str
    value: Any
    place: str  # FILE:LINE, or who says so

    def __str__(self) -> str:
        return f"{self.key}: {text(self.value)}"


@dataclass
class Import:
    """What has become of a file so far."""

    entries: dict[str, Entry]
    tasks: list[str]  # of this program
    options: dict[str, tuple[Any, Entry]] = field(default_factory=dict)
    remarks: list[tuple[Entry, str]] = field(default_factory=list)
    used: list[Entry] = field(default_factory=list)  # by the rule that is at work

    def value(self, key: str) -> Any:
        if key not in self.entries:
            return None
        self.used.append(self.entries[key])
        return self.entries[key].value

    def set(self, entry: Entry, **options: Any) -> None:
        """options: section__name=value."""
        for name, value in options.items():
            self.options[name.replace("__", ".", 1)] = (value, entry)

    def cannot(self, entry: Entry, why: str) -> None:
        self.remarks.append((entry, why))


Rule = Callable[[Import, Entry], None]


@dataclass
class Program:
    """Another program: how its files are read, and what becomes of their keys."""

    about: str
    read: Callable[[Path, str | None], list[Entry]]
    rules: dict[str, Rule]
    defaults: dict[str, Any]  # of keys
    fixed: dict[str, Any]  # options, for what it has no key for
    differences: tuple[str, ...] = ()  # whatever the file says


def same(*options: str) -> Rule:
    """The value of each of these options."""
    return lambda work, entry: work.set(
        entry, **{option.replace(".", "__"): entry.value for option in options})  # fmt: skip


def only(value: Any, why: str) -> Rule:
    """Nothing to be done where it is this value."""
    return lambda work, entry: None if entry.value == value else work.cannot(entry, why)


def nothing(work: Import, entry: Entry) -> None:
    """Of no account for results, or read together with another key."""


def epochs(steps_key: str | None = None, length_key: str | None = None, length: int = 1000) -> Rule:
    """The length of a run: the value itself, or a number of real steps."""

    def rule(work: Import, entry: Entry) -> None:
        count = int(entry.value)
        if steps_key:
            count = math.ceil(count / int(work.value(length_key) if length_key else length))
        work.set(entry, hyper__train_epochs=count, hyper__apply_epochs=count)

    return rule


SAME_TASK = {
    "AntTruncatedObs-v2": "ant-truncated",
    "ant_truncated_obs": "ant-truncated",
    "HumanoidTruncatedObs-v2": "humanoid-truncated",
    "humanoid_truncated_obs": "humanoid-truncated",
    "HalfCheetahBulletEnv-v0": "half-cheetah-bullet",
    "HopperBulletEnv-v0": "hopper-bullet",
    "Walker2DBulletEnv-v0": "walker2d-bullet",
}


def set_task(work: Import, entry: Entry, name: str) -> None:
    """Gym's "HalfCheetah-v4" is half-cheetah-v4; of an older version the nearest is taken, and said."""
    stem, _, version = name.rpartition("-")
    kebab = "".join("-" + c.lower() if c.isupper() else c for c in stem).lstrip("-")
    wanted = SAME_TASK.get(name, f"{kebab}-{version}")
    nearest = [task for task in work.tasks if task.rpartition("-")[0] == kebab]
    if wanted in work.tasks:
        work.set(entry, env__id=wanted)
    elif nearest and version in ("v0", "v1", "v2", "v3"):
        work.set(entry, env__id=nearest[0])
        work.cannot(entry, f"{name} is a task of another engine or reward; {nearest[0]} is the nearest")
    else:
        work.cannot(entry, f"there is no task {name} here (autombpo env list): env.id has to be given")


# Readers ------------------------------------------------------------------------------------------

ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
              ast.Div: operator.truediv, ast.Pow: math.pow}  # fmt: skip


# What a hostile value leads to, in Python's own functions; MemoryError: what its parser finds too deep.
REFUSALS = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError)


def calculate(node: ast.BinOp) -> Any:
    """Of numbers alone, and powers as floats: a text times a billion would take all memory."""
    values = [evaluate(node.left), evaluate(node.right)]
    try:
        if all(isinstance(value, (int, float)) for value in values):
            return ARITHMETIC[type(node.op)](*values)
    except ArithmeticError:
        pass
    raise ValueError(f"'{ast.unparse(node)}' is no number")


def evaluate(node: ast.expr) -> Any:
    """A literal, with arithmetic, int(), float() and dict(); nothing of a file is ever executed."""
    if isinstance(node, ast.Dict):
        return {evaluate(k): evaluate(v) for k, v in zip(node.keys, node.values) if k is not None}
    if isinstance(node, (ast.List, ast.Tuple)):
        return [evaluate(item) for item in node.elts]
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        return calculate(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "dict" and not node.args:
            return {word.arg: evaluate(word.value) for word in node.keywords}
    try:
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and
                node.func.id in ("int", "float") and len(node.args) == 1):  # fmt: skip
            return {"int": int, "float": float}[node.func.id](evaluate(node.args[0]))
        return ast.literal_eval(node)
    except REFUSALS:
        raise ValueError(f"'{ast.unparse(node)}' is no plain value") from None


def read_python(path: Path, name: str) -> Iterable[tuple[str, Any, int]]:
    """The members of the dictionary that is assigned to `name`, inner ones as outer.inner."""
    def members(node: ast.Dict, prefix: str) -> Iterable[tuple[str, Any, int]]:
        for key, value in zip(node.keys, node.values):
            place = f"{path}:{value.lineno}: "
            try:
                word = f"{prefix}{evaluate(key)}"
                place += f"'{word}': "
                if isinstance(value, ast.Dict):
                    yield from members(value, word + ".")
                else:
                    yield word, evaluate(value), key.lineno
            except ValueError as problem:
                raise ImportProblem(f"{place}{problem}") from None

    try:
        for statement in ast.parse(path.read_text(encoding="utf-8")).body:
            if (isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict) and
                    [getattr(target, "id", "") for target in statement.targets] == [name]):  # fmt: skip
                return list(members(statement.value, ""))
    except (SyntaxError, *REFUSALS) as problem:
        raise ImportProblem(f"{path}: is no Python that can be read: {problem}") from None
    raise ImportProblem(f"{path}: assigns no dictionary to `{name}`")


def _number(value: Any) -> Any:
    """5e-5 is a text to YAML 1.1, and a number to all who write it."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+", value):
        return float(value)
    return value


def read_yaml(path: Path, prefix: str = "") -> list[Entry]:
    """The members of a map, inner ones as outer.inner; merge keys are followed."""
    try:
        import yaml
    except ImportError:
        raise ImportProblem("reading YAML of others needs PyYAML: apt-get install python3-yaml, or "
                            "pip install pyyaml") from None  # fmt: skip
    def members(node: yaml.MappingNode, prefix: str) -> Iterable[Entry]:
        loader.flatten_mapping(node)
        for key, value in node.value:
            word = f"{prefix}{key.value}"
            if isinstance(value, yaml.MappingNode):
                yield from members(value, word + ".")
            else:
                yield Entry(word, _number(loader.construct_object(value, deep=True)),
                            f"{path}:{key.start_mark.line + 1}")  # fmt: skip

    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise ImportProblem(f"{path}: is no map of options")
        return list(members(root, prefix))
    except (yaml.YAMLError, *REFUSALS) as problem:
        raise ImportProblem(f"{path}: is no YAML: {problem}") from None


# From a file to a text ----------------------------------------------------------------------------


def convert(program: Program, entries: Sequence[Entry], tasks: list[str]) -> Import:
    given = {entry.key: entry for entry in entries}  # the last one counts
    default = {key: Entry(key, value, "default there") for key, value in program.defaults.items()
               if key not in given}  # fmt: skip
    work = Import({**given, **default}, tasks)
    for option, value in program.fixed.items():
        work.options[option] = (value, Entry("", None, "there always"))
    for entry in work.entries.values():
        if isinstance(entry.value, int) and abs(entry.value) >= 2**63:
            raise ImportProblem(f"{entry.place}: '{entry.key}' is larger than any number here")
        rule = program.rules.get(entry.key)
        if not rule:
            work.cannot(entry, "there is no such option here")
            continue
        work.used = [entry]
        try:
            rule(work, entry)
        except REFUSALS:
            first, *others = [used for used in work.used if used.key in given]
            beside = "".join(f" beside '{other}'" for other in others)
            raise ImportProblem(f"{first.place}: '{first}' is no value of this key{beside}") from None
    return work


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(item) for item in value) + "]"
    return str(value)


def _origin(entry: Entry) -> str:
    """hopper.py:18: 'discount: 0.99'."""
    return f"{Path(entry.place).name}: '{entry}'" if entry.key else entry.place


def to_yaml(work: Import, program: Program, kind: str, path: Path) -> str:
    lines = [f"# {path.name} of {program.about}, by `autombpo config import {kind}`."]
    lines += [f"# Not expressed: {_origin(entry)}: {why}" for entry, why in work.remarks]
    lines += [f"# In any case: {difference}" for difference in program.differences]
    section = ""
    for option in sorted(work.options, key=lambda option: option.split(".")[0]):
        value, entry = work.options[option]
        head, name = option.split(".")
        if head != section:
            lines.append(f"{head}:")
            section = head
        lines.append(f"  {name}: {text(value)}  # {_origin(entry)}")
    return "\n".join(line.replace("\n", " ") for line in lines) + "\n"
