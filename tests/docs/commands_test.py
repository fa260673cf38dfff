#!/usr/bin/env python3
"""Runs every command that the documents show, in a copy of the sources, in their order.

usage: commands_test.py PROGRAM SOURCE_DIR BUILD_DIR [DIRECTORY]
  DIRECTORY   of the documents whose commands are run: docs/tutorials; without it, all but those

Long commands run in a short form: the table below says what makes them short, or names the CTest that
runs them, or why only a person can. A command that no row knows is a failure, and so is a row that knows
no command, and a CTest that is not there or does not run such a command: who writes a command into a
document says here how it is tested.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Commands build on each other, so the order counts; the other documents follow.
FIRST = ["README.md", "CONTRIBUTING.md", "docs/performance.md", "docs/reliability.md",
         "docs/results.md", "docs/theory.md", "analysis/README.md"]  # fmt: skip

APART = "docs/tutorials/"  # documents that are a test of their own

# What a line of a code block begins with if it is a command.
COMMAND = re.compile(r"(OPENBLAS_NUM_THREADS=1 |build/|autombpo|mpi_launch/|ctest|cmake|pip|tests/|python3|mpirun)")

SHORT = "short.yaml mbpo.epoch_length=30 mbpo.exploration_steps=60 hyper.decision_interval=10 " \
    "hyper.train_epochs=3 hyper.apply_epochs=4 scheduler.hyper_episodes=2 log.quiet=true"  # fmt: skip
SHORT_YAML = """\
mbpo: {min_pool: 60, max_path_length: 30, policy_updates: 2, train_interval: 15,
  rollout_interval: 15, rollouts: 100, evaluation_episodes: 2}
sac: {batch_size: 16, hidden_size: 16}
model: {members: 3, elites: 2, hidden_size: 16, hidden_layers: 2, max_epochs: 4}
hyper: {critic_loss_batch: 100, policy_change_rows: 100}
ppo: {episodes_per_update: 2, stages: [2], minibatches: 20, minibatch_size: 8, hidden_size: 16}
"""

RUN = "runs/inverted-pendulum-v4/autombpo/s0"


@dataclass(frozen=True)
class Short:
    """Run here, with this appended and these texts replaced."""

    append: str = ""
    replace: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Test:
    """Run by this CTest: the text is in its command, its script, or this file that the script names."""

    name: str
    text: str
    file: str = ""


@dataclass(frozen=True)
class Hand:
    """Run by a person."""

    why: str


ROWS: list[tuple[str, Short | Test | Hand]] = [
    (r"mpi_launch/(check|setup)", Hand(".ci/run is mpi_launch/check, and that runs this")),
    (r"mpi_launch/quickstart", Short("", {"mpi_launch": "AUTOMBPO=tools/short mpi_launch"})),
    (r"mpi_launch/local .* train", Short(SHORT, {"-n 8": "-n 2"})),
    (r"autombpo config (check|list)", Short()),
    (r"autombpo config import", Test("analysis", r'"config", "import"',
                                     "analysis/tests/test_config_import.py")),
    (r"tests/cli/any_options_test.py", Test("cli/any_options", r"--draws")),
    (r"autombpo env check plugin", Short("--steps 50")),
    (r"autombpo train CONFIG.yaml env.id=plugin", Short(SHORT, {"CONFIG": "methods/mbpo"})),
    (r"autombpo train .*compute.precision=P", Short(SHORT, {"precision=P": "precision=float32"})),
    (r"autombpo train .*model.stop=S", Short(SHORT, {"stop=S": "stop=alone", "=R": "=0.003",
                                                     "patience=P": "patience=2"})),
    (r"(build/)?autombpo (train|apply|baseline) ", Short(SHORT)),
    (r"(build/)?autombpo (inspect|status) .*runs/(quickstart|first)", Short()),
    (r"mpi_launch/(plot (returns|controller|schedule|table)|report)", Short()),
    (r"mpi_launch/plot compare", Test("analysis", r'main\(\["compare"', "analysis/tests/test_cli.py")),
    (r"autombpo resume runs/first", Short()),
    (r"autombpo plan", Test("cli/forecast", r'plan\("--json"|"plan"')),
    (r"autombpo launch", Test("cli/launch", r"launch", "tests/cli/launch_test.c")),
    (r"autombpo doctor", Test("cli/doctor", r"doctor")),
    (r"autombpo play runs/swing-up", Short("--episodes 1")),
    (r"autombpo config keys", Short()),
    (r"autombpo-plot fvi DIR", Short("", {"DIR": "fvi"})),
    (r"autombpo-plot fvi +FILE", Short("", {"FILE...": "fvi/fvi.h5"})),
    (r"autombpo-plot fvi +fvi/", Short()),
    (r"autombpo-plot schedule RUN --theory", Short("-o theory.png", {"RUN": RUN})),
    (r"autombpo-plot compare", Test("analysis", r'main\(\["compare"', "analysis/tests/test_cli.py")),
    (r"(build/)?autombpo experiment", Test("cli/experiment", r"experiment run")),
    (r"build/tests/simulation/simulate", Test("simulation", r"simulate")),
    (r"autombpo-plot experiment", Test("analysis", r'main\(\["experiment"',
                                       "analysis/tests/test_experiment.py")),
    (r"autombpo-plot tables", Test("analysis", r'main\(\["tables"',
                                   "analysis/tests/test_experiment.py")),
    (r"autombpo-plot effects", Test("analysis", r'main\(\["effects"',
                                    "analysis/tests/test_population.py")),
    (r"autombpo-export +RUN.* --to npz", Short("", {"RUN...": RUN, "DIR": "exported"})),
    (r"autombpo-export +RUN", Test("analysis", r'run\(training, "--to", "parquet"', "analysis/tests/test_export.py")),
    (r"autombpo-report +RUN", Short("", {"RUN...": RUN})),
    (r"autombpo-plot \w+ +RUN", Short("", {"RUN...": RUN})),
    (r"autombpo schedule runs/", Short()),
    (r"autombpo bench controller", Short("", {"--workers 1000": "--workers 4"})),
    (r"OPENBLAS_NUM_THREADS=1 .*autombpo bench --row", Test("cli/bench", r'run\("--row"')),
    (r"autombpo bench", Test("cli/bench", r'run\("(sac|ensemble|mbpo)".*\)|"bench"')),
    (r"autombpo fvi (bound|run) CONFIG", Short("fvi.out=fvi", {"CONFIG.yaml ...": "fvi/ring.yaml"})),
    (r"autombpo fvi optimal-ratio CONFIG", Short("fvi.out=best", {"CONFIG.yaml ...": "fvi/ring.yaml"})),
    (r"autombpo fvi (run|optimal-ratio) configs/", Short("fvi.seeds=1")),
    (r"python3 -c .*h5py", Short("", {"runs/hopper-v4/autombpo/s0": RUN})),
    (r"python3 -c ", Short("", {"runs/hopper-v4": RUN})),
    (r"pip install", Hand("it needs the network")),
    (r"cmake --preset asan", Hand("before a change lands: CONTRIBUTING.md")),
    (r"cmake -G Ninja -B build -DCMAKE_PREFIX_PATH", Test("env/plugin_outside", r"-DCMAKE_PREFIX_PATH=")),
    (r"cmake --build build$", Test("env/plugin_outside", r'--build "\$work/build"')),
    (r"tests/chaos/chaos ", Test("chaos", r"tests/chaos/chaos ")),
    (r"tests/chaos/join ", Test("chaos/join", r"tests/chaos/join ")),
    (r"tests/chaos/walk ", Test("chaos/walk", r"chaos/walk ")),
    (r"tests/chaos/power ", Test("chaos/power", r"chaos/power ")),
    (r"tests/chaos/full_disk_test.sh", Test("full_disk", r"tests/chaos/full_disk_test.sh")),
    (r"tests/fuzz/run", Test("fuzz", r"tests/fuzz/run ")),
    (r"tests/bench/compare_peers", Hand("it needs the peers")),
    (r"tests/bench/growth", Hand("it measures for minutes")),
    (r"tests/bench/metadata", Hand("it measures for minutes")),
    (r"tests/bits/builds", Hand("it builds the program five times, and emulates a CPU for a quarter of an hour")),
    (r"tests/mutate", Hand("it builds the program anew for each fault")),
    (r"tests/coverage", Hand("it builds the program with counters, and runs a third of the tests again")),
    (r"tests/chaos/refuse", Test("chaos/refuse", r"chaos/refuse ")),
]  # fmt: skip


def lines_of(block: str) -> Iterator[str]:
    """The lines of a script, with its loops unrolled and its variables filled in."""
    values: dict[str, str] = {}
    loop: tuple[str, list[str], list[str]] | None = None
    for line in map(str.strip, re.sub(r"\\\n\s*", " ", block).split("\n")):
        for name, value in values.items():
            line = re.sub(rf"\${name}\b", value, line)
        if match := re.fullmatch(r"for (\w+) in (.*); do", line):
            loop = (match[1], match[2].split(), [])
        elif match := re.fullmatch(r'(\w+)="(.*)"', line):
            values[match[1]] = match[2]
        elif line == "done" and loop:
            for word in loop[1]:
                yield from (re.sub(rf"\${loop[0]}\b", word, inner) for inner in loop[2])
            loop = None
        elif loop:
            loop[2].append(line)
        else:
            yield line


def commands(text: str) -> list[str]:
    """The commands of the code blocks of a document, without comments; its Python as one of them."""
    found = []
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.S | re.M):
        if language == "python":
            found.append("python3 -c " + shlex.quote(block))
        elif language in ("", "sh"):
            lines = filter(COMMAND.match, lines_of(block))
            found += [re.split(r"\s+# ", line)[0].strip() for line in lines]
    return found


def problem_of(test: Test, known: dict[str, list[str]], source: Path) -> str | None:
    """What is wrong with the claim that this CTest runs such a command."""
    if test.name not in known:
        return f"there is no CTest {test.name}"
    arguments = known[test.name]
    scripts = [Path(a) for a in arguments if a.startswith(f"{source}/tests/") and Path(a).is_file()]
    texts = [" ".join(arguments), *(script.read_text(encoding="utf-8") for script in scripts)]
    if test.file:
        named = all(any(part in text for text in texts) for part in Path(test.file).parts[:-1])
        texts = [(source / test.file).read_text(encoding="utf-8")] if named else []
    if not any(re.search(test.text, text) for text in texts):
        return f"CTest {test.name} does not run it: no {test.text}"
    return None


def known_tests(build: Path) -> dict[str, list[str]]:
    shown = subprocess.run(["ctest", "--show-only=json-v1"], cwd=build, capture_output=True, check=True)
    return {test["name"]: test.get("command", []) for test in json.loads(shown.stdout)["tests"]}


def tracked(source: Path) -> list[str]:
    # the sources may belong to somebody else
    git = ["git", "-c", f"safe.directory={source}", "ls-files", "-z"]
    files = subprocess.run(git, cwd=source, capture_output=True, check=True)
    return list(filter(None, files.stdout.decode().split("\0")))


def write_tool(tools: Path, name: str, script: str) -> None:
    (tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (tools / name).chmod(0o755)


def prepare(program: Path, source: Path, build: Path, to: Path) -> dict[str, str]:
    for name in tracked(source):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, to / name)
    (to / "build").mkdir()
    (to / "build/autombpo").symlink_to(program)
    for name in ("swing_up.so", "swing_up.xml"):
        (to / "build" / name).symlink_to(build / "tests/plugin" / name)
    (to / "short.yaml").write_text(SHORT_YAML)
    tools = to / "tools"
    tools.mkdir()
    write_tool(tools, "autombpo", f'exec {to}/build/autombpo "$@"')
    write_tool(tools, "short", f'exec {to}/build/autombpo "$@" configs/quickstart.yaml {SHORT}')
    write_tool(tools, "autombpo-plot", f'exec {to}/mpi_launch/plot "$@"')
    write_tool(tools, "autombpo-report", f'exec {to}/mpi_launch/report "$@"')
    write_tool(tools, "autombpo-export", f'exec {to}/mpi_launch/export "$@"')
    write_tool(to / "mpi_launch", "setup", "# it is built")
    path = f"{tools}:/usr/bin:{os.environ['PATH']}"  # Debian's Python has the libraries
    return os.environ | {"PATH": path, "PYTHONPATH": f"{to}/analysis/src", "MPLBACKEND": "agg",
                         "AUTOMBPO_PATH": f"{to}/configs"}  # fmt: skip


def row_of(command: str) -> int | None:
    return next((i for i, (pattern, _) in enumerate(ROWS) if re.match(pattern, command, re.S)), None)


def run(command: str, how: Short, directory: Path, environment: dict[str, str]) -> bool:
    for old, new in how.replace.items():
        command = command.replace(old, new)
    print(f"$ {command} {how.append}", flush=True)
    done = subprocess.run(["bash", "-c", f"{command} {how.append}"], cwd=directory, env=environment,
                          text=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=1800)  # fmt: skip
    if done.returncode != 0:
        print(f"FAILED with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.returncode == 0


def can_run(command: str, how: Short | Test | Hand) -> bool:
    bfloat16 = "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    pandas = subprocess.run(["/usr/bin/python3", "-c", "import pandas"], capture_output=True).returncode == 0
    return isinstance(how, Short) and (bfloat16 or "bfloat16" not in command) and (
        pandas or "to_pandas" not in command)


def run_all(program: Path, source: Path, build: Path, directory: Path,
            only: str) -> tuple[int, int, set[int]]:  # fmt: skip
    """How many commands ran, how many problems there were, and the rows that know a command."""
    ran = bad = 0
    used: set[int] = set()
    environment = prepare(program, source, build, directory)
    rest = [name for name in tracked(source) if name.endswith(".md") and name not in FIRST]
    for document in FIRST + rest:
        here = document.startswith(only) if only else not document.startswith(APART)
        for command in commands((source / document).read_text(encoding="utf-8")):
            row = row_of(command)
            if row is None:
                print(f"{document}: no row of {Path(__file__).name} knows `{command}`")
                bad += 1
                continue
            used.add(row)
            how = ROWS[row][1]
            if here and can_run(command, how):
                ran += 1
                bad += not run(command, how, directory, environment)
    return ran, bad, used


def main() -> int:
    program, source, build = (Path(argument).resolve() for argument in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as place:
        ran, bad, used = run_all(program, source, build, Path(place), "".join(sys.argv[4:5]))
    tests = known_tests(build)
    for i, (pattern, how) in enumerate(ROWS):
        problem = problem_of(how, tests, source) if isinstance(how, Test) else None
        if i not in used:
            problem = "no document shows such a command any more"
        if problem:
            print(f"{pattern}: {problem}")
            bad += 1
    print(f"{ran} commands run, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
