#!/usr/bin/env python3
"""Runs every command that the documents show, in a copy of the sources, in their order.

usage: commands_test.py PROGRAM SOURCE_DIR

Long commands run in a short form: the table below appends what makes them short, or names the test that
runs them whole. A command that no row knows is a failure, and so is a row that knows no command: who
writes a command into a document says here how it is tested.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/performance.md", "docs/reliability.md",
             "docs/results.md", "docs/theory.md", "docs/examples/env_plugin/README.md",
             "analysis/README.md"]  # fmt: skip

# What a line of a code block begins with if it is a command.
COMMAND = re.compile(r"(build/|autombpo|mpi_launch/|ctest|cmake|pip|tests/|python3|mpirun|\$chaos)")

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


def elsewhere(test: str) -> tuple[str, dict[str, str]] | None:
    """The command is run whole by this CTest, or by who follows the document."""
    del test
    return None


# Pattern of commands: (what is appended, what is replaced), or elsewhere(who runs it).
ROWS: list[tuple[str, tuple[str, dict[str, str]] | None]] = [
    (r"mpi_launch/(check|setup)", elsewhere(".ci/run itself")),
    (r"mpi_launch/quickstart", elsewhere("mpi/ranks, cli/launch_script; it is the same as `train`")),
    (r"mpi_launch/local .* train", (SHORT, {"-n 8": "-n 2"})),
    (r"(build/)?autombpo (train|apply|baseline) .*(CONFIG.yaml env.id=plugin)",
     elsewhere("env/plugin_outside")),
    (r"autombpo train .*compute.precision=P", (SHORT, {"precision=P": "precision=float32"})),
    (r"autombpo train .*model.stop=S", (SHORT, {"stop=S": "stop=alone", "=R": "=0.003", "patience=P":
                                                "patience=2"})),
    (r"autombpo train .*log.transitions=true", (SHORT, {})),
    (r"(build/)?autombpo (train|apply|baseline) ", (SHORT, {})),
    (r"(build/)?autombpo inspect .*runs/quickstart", ("", {"runs/quickstart": RUN})),
    (r"mpi_launch/plot returns", ("", {})),
    (r"autombpo-plot fvi DIR", ("", {"DIR": "fvi"})),
    (r"autombpo-plot fvi +FILE", ("", {"FILE...": "fvi/fvi.h5"})),
    (r"autombpo-plot schedule RUN --theory", ("-o theory.png", {"RUN": RUN})),
    (r"autombpo-plot compare", elsewhere("analysis: runs this short learn nothing to compare")),
    (r"autombpo-plot \w+ +RUN", ("", {"RUN...": RUN})),
    (r"autombpo schedule runs/", ("", {})),
    (r"autombpo bench controller", ("", {"--workers 1000": "--workers 4"})),
    (r"autombpo bench", elsewhere("cli/bench")),
    (r"autombpo fvi run configs/fvi/tight.yaml", elsewhere("theory/fvi; minutes")),
    (r"autombpo fvi (bound|run) CONFIG", ("fvi.out=fvi", {"CONFIG.yaml ...": "fvi/ring.yaml"})),
    (r"autombpo fvi optimal-ratio", ("fvi.out=best", {"CONFIG.yaml ...": "fvi/ring.yaml"})),
    (r"autombpo env check plugin", elsewhere("env/plugin_outside")),
    (r"python3 -c .*half_normal_run", ("", {})),
    (r"pip install", elsewhere("whoever has a virtual environment: it needs the network")),
    (r"cmake ", elsewhere("env/plugin_outside; presets: CONTRIBUTING.md before a change lands")),
    (r"(tests/chaos/|\$chaos)", elsewhere("chaos/*, by hand in their long forms")),
    (r"tests/fuzz/run", elsewhere("fuzz")),
    (r"tests/bench/compare_peers", elsewhere("by hand: it needs the peers")),
]  # fmt: skip


def commands(text: str) -> list[str]:
    """The commands of the code blocks of a document, without comments."""
    found = []
    for block in re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.S | re.M):
        for line in re.sub(r"\\\n\s*", " ", block).split("\n"):
            if COMMAND.match(line):
                found.append(re.split(r"\s+# ", line)[0].strip())
    return found


def copy_sources(source: Path, to: Path) -> None:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=source, capture_output=True, check=True)
    for name in filter(None, files.stdout.decode().split("\0")):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, to / name)


def prepare(program: Path, source: Path, to: Path) -> dict[str, str]:
    copy_sources(source, to)
    (to / "build").mkdir()
    (to / "build/autombpo").symlink_to(program)
    (to / "short.yaml").write_text(SHORT_YAML)
    tools = to / "tools"
    tools.mkdir()
    (tools / "autombpo").write_text(f'#!/bin/sh\nexec {to}/build/autombpo "$@"\n')
    (tools / "autombpo-plot").write_text(f'#!/bin/sh\nexec {to}/mpi_launch/plot "$@"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    path = f"{tools}:/usr/bin:{os.environ['PATH']}"  # Debian's Python has the libraries
    return os.environ | {"PATH": path, "PYTHONPATH": f"{to}/analysis/src", "MPLBACKEND": "agg",
                         "AUTOMBPO_PATH": f"{to}/configs"}  # fmt: skip


def row_of(command: str) -> int | None:
    return next((i for i, (pattern, _) in enumerate(ROWS) if re.match(pattern, command)), None)


def run(command: str, directory: Path, environment: dict[str, str]) -> bool:
    print(f"$ {command}", flush=True)
    done = subprocess.run(["bash", "-c", command], cwd=directory, env=environment, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120)  # fmt: skip
    if done.returncode != 0:
        print(f"FAILED with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.returncode == 0


def main() -> int:
    program, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    bad = ran = 0
    used: set[int] = set()
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        environment = prepare(program, source, directory)
        bfloat16 = "avx512_bf16" in Path("/proc/cpuinfo").read_text()
        for document in DOCUMENTS:
            for command in commands((source / document).read_text(encoding="utf-8")):
                row = row_of(command)
                if row is None:
                    print(f"{document}: no row of {Path(__file__).name} knows `{command}`")
                    bad += 1
                    continue
                used.add(row)
                form = ROWS[row][1]
                if form is None or ("bfloat16" in command and not bfloat16):
                    continue
                for old, new in form[1].items():
                    command = command.replace(old, new)
                ran += 1
                bad += not run(f"{command} {form[0]}", directory, environment)
    for i in set(range(len(ROWS))) - used:
        print(f"{ROWS[i][0]}: no document shows such a command any more")
        bad += 1
    print(f"{ran} commands run, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
