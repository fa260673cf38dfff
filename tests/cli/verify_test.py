#!/usr/bin/env python3
"""autombpo verify: a run is what its configuration gives; one changed number is found, every time.

usage: verify_test.py PROGRAM SOURCE_DIR. A number is changed in a file that is sealed again afterwards, as
somebody would who wants to deceive: nothing but to run it again can tell.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import h5py
    import numpy as np
except ImportError:
    print("no h5py: skipped")
    sys.exit(77)

program, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
sys.path.insert(0, str(source / "analysis/src"))
from autombpo_analysis.check import check_episode  # noqa: E402
from autombpo_analysis.io import MARK, Episode, _checksum  # noqa: E402

TRIALS = 100


def run(*words: object, code: int = 0) -> str:
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert done.returncode == code, f"{words}: exit code {done.returncode}, expected {code}\n{text}"
    return text


def change(path: Path, rng: random.Random) -> str:
    """Changes the last bit of one number, and seals the file again; returns the name of its dataset."""
    names: list[str] = []
    with h5py.File(path, "r+") as file:
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) and item.size else None)
        name = rng.choice(names)
        values = file[name][...]
        flat = values.reshape(-1).view(np.uint8)
        width = values.dtype.itemsize
        flat[rng.randrange(values.size) * width] ^= 1
        file[name][...] = values
    data = path.read_bytes()
    path.write_bytes(data + MARK + b"%016x\n" % _checksum(data))
    return name


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        tiny, directory = source / "tests/mpi/tiny.yaml", Path(place) / "run"
        run("train", "-q", tiny, "scheduler.baseline=", f"run.dir={directory}")
        text = run("verify", "--share", "100", directory)
        assert "the same bits" in text and text.count("run again") == 6, text
        for file in (directory / "episodes").glob("*.h5"):
            assert check_episode(Episode.read(file)) == [], check_episode(Episode.read(file))
        before = {file: file.read_bytes() for file in directory.rglob("*") if file.is_file()}

        # a share of its epochs, drawn by a seed
        def drawn(*words: object) -> list[tuple[int, ...]]:
            found = re.findall(r"hyper-episode (\d+): epochs 1 to (\d+) of (\d+)", run("verify", *words, directory))
            return [tuple(map(int, row)) for row in found]

        assert [row[1] for row in drawn()] == [1], drawn()
        half = drawn("--share", "50%", "--seed", 3)
        assert [row[1:] for row in half] == [(3, 3)] * 3 and half == drawn("--share", "50%", "--seed", 3), half
        assert half != drawn("--share", "50%", "--seed", 4)
        assert drawn("--share", "7%", "--seed", 1)[0][1:] == (2, 3)
        assert {file: file.read_bytes() for file in directory.rglob("*") if file.is_file()} == before, "written to"

        # what is not there to be run again is named, and a file of another kind is not taken for one
        empty = Path(place) / "empty"
        shutil.copytree(directory, empty)
        for begun in "episodes/*.h5", "policy/*.h5", "COMPLETE":
            for file in empty.glob(begun):
                file.unlink()
        left = sorted(empty.rglob("*"))
        for verb in "verify", "audit":
            assert "no hyper-episode is sealed yet" in run(verb, empty, code=1), verb
        assert sorted(empty.rglob("*")) == left, "written to"
        for name in "policy/v000001.h5", "episodes/best.h5":
            assert "expected RUN or" in run("verify", directory / name, code=2), name

        # a population goes on from others' ends, whose snapshots are gone
        members = Path(place) / "members"
        run("train", "-q", tiny, "scheduler.baseline=", "scheduler.kind=pbt", "pbt.members=3", "pbt.interval=1",
            "pbt.score_epochs=1", "hyper.apply_epochs=3", f"run.dir={members}")
        shutil.rmtree(members / "snapshot", ignore_errors=True)
        assert "the same bits" in run("verify", "--share", "100%", members)

        rng = random.Random(1)
        (directory / "COMPLETE").unlink()
        for trial in range(TRIALS):
            path = directory / "episodes" / f"00000{trial % 6}.h5"
            kept = path.read_bytes()
            name = change(path, rng)
            text = run("verify", path, code=1)
            assert name in text and " 1 differences" in text, f"trial {trial}: {name} was changed: {text}"
            path.write_bytes(kept)

        # what cannot be done
        run("verify", code=2)
        assert "percent" in run("verify", "--share", "0", directory, code=2)
        assert "percent" in run("verify", "--share", "101", directory, code=2)
        assert "No such file" in run("verify", directory / "episodes/000099.h5", code=2)
        run("verify", Path(place) / "nothing", code=2)
    print(f"one changed number was found in {TRIALS} of {TRIALS} trials")


main()
