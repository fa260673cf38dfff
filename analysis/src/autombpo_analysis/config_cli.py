"""`autombpo config import`, autombpo-import: configurations of other programs as ours."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import console
from .config_import import ImportProblem, convert, to_yaml
from .config_sources import PROGRAMS


def check(program: str, yaml_text: str) -> None:
    """What this program would refuse of the result."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "imported.yaml")
        path.write_text(yaml_text, encoding="utf-8")
        done = subprocess.run([program, "config", "check", path], capture_output=True, text=True)
        if done.returncode != 0:
            raise ImportProblem(done.stderr.replace(f"{path}", "the result").strip())


def task_ids(program: str) -> list[str]:
    done = subprocess.run([program, "env", "list"], capture_output=True, text=True, check=True)
    return [line.split()[0] for line in done.stdout.splitlines()[1:]]


def _import(a: argparse.Namespace) -> int:
    own = os.environ.get("AUTOMBPO", "autombpo")
    program = PROGRAMS[a.kind]
    try:
        if not shutil.which(own):
            raise ImportProblem(f"{own}: no such program; AUTOMBPO=FILE says where autombpo is")
        work = convert(program, program.read(a.file, a.env), task_ids(own))
        result = to_yaml(work, program, a.kind, a.file)
        check(own, result)
        if a.output:
            a.output.write_text(result, encoding="utf-8")
    except (ImportProblem, OSError) as problem:
        print(f"autombpo config import: {console.said(problem)}", file=sys.stderr)
        return 2
    for entry, why in work.remarks:
        print(f"{entry.place}: '{entry}' cannot be expressed: {why}", file=sys.stderr)
    for difference in program.differences:
        print(f"in any case: {difference}", file=sys.stderr)
    if not a.output:
        print(result, end="")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="autombpo config import",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Turns a configuration of another program into one of ours.",
        epilog="\n".join(f"  {kind:<9} {p.about}" for kind, p in PROGRAMS.items()) +
        "\n\nWhat cannot be expressed is said, a line each, and stands in the result as comments.\n"
        "Exit codes: 0 written, 2 a file that cannot be read, or values that are refused here.",
    )  # fmt: skip
    parser.add_argument("kind", choices=tuple(PROGRAMS), metavar="mbpo|mbrl-lib|sb3")
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.yaml", help="default: standard output")
    parser.add_argument("--env", metavar="NAME", help="sb3: which entry of the file, Hopper-v4")
    options = parser.parse_args(arguments)
    return console.run(parser.prog, lambda: _import(options))


if __name__ == "__main__":
    sys.exit(main())
