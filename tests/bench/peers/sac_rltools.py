"""SAC gradient updates of RLtools (C++): compiles sac_rltools.cpp for the sizes, and runs it.

--blas openblas or mkl (the packages mkl-static and mkl-include beside rltools). With --place the
program stays in that directory, and is compiled once for each size.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import arguments

SOURCE = Path(__file__).with_suffix(".cpp")
MARCH = "-march=" + os.environ.get("PEER_MARCH", "native")
FLAGS = ["-std=c++17", "-O3", MARCH, "-ffast-math", "-DNDEBUG"]


def headers() -> str:
    package = importlib.util.find_spec("rltools").submodule_search_locations[0]
    return f"{package}/external/rl_tools/include"


def libraries(blas: str) -> list[str]:
    if blas == "openblas":
        return ["-DRL_TOOLS_BACKEND_ENABLE_OPENBLAS", '-DPEER_BLAS="OpenBLAS"', "-lopenblas"]
    place = Path(sys.prefix)
    names = ("intel_lp64", "sequential", "core")
    archives = [str(place / f"lib/libmkl_{name}.a") for name in names]
    group = ["-Wl,--start-group", *archives, "-Wl,--end-group", "-lpthread", "-lm", "-ldl"]
    return ["-DRL_TOOLS_BACKEND_ENABLE_MKL", '-DPEER_BLAS="MKL"', f"-I{place}/include", *group]


def build(args: argparse.Namespace, place: str) -> str:
    sizes = {"OBS": args.obs, "ACT": args.act, "HIDDEN": args.hidden, "BATCH": args.batch}
    program = "_".join([f"{place}/rltools", args.blas, *map(str, sizes.values())])
    if not Path(program).exists():
        compiler = os.environ.get("CXX") or shutil.which("c++") or "g++"
        defined = [f"-DPEER_{name}={value}" for name, value in sizes.items()]
        command = [compiler, *FLAGS, *defined, f"-I{headers()}", str(SOURCE), "-o", program]
        subprocess.run([*command, *libraries(args.blas)], check=True)
    return program


args = arguments(blas="openblas", place="")
with tempfile.TemporaryDirectory() as own:
    program = build(args, args.place or own)
    subprocess.run([program, str(args.repeats), str(args.seconds)], check=True)
