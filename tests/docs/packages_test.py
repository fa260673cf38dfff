#!/usr/bin/env python3
"""One version everywhere: that of project() in CMakeLists.txt. And the recipes of packages name what
the build looks for, and what mpi_launch/setup installs.

usage: packages_test.py PROGRAM SOURCE_DIR BUILD_DIR
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PROGRAM, SOURCE, BUILD = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])

RECIPE = "packaging/spack_repo/autombpo/packages/autombpo/package.py"
# what CMakeLists.txt looks for, in Spack's names; EGL and PNG are for pictures, which it leaves out
SPACK = {"MPI": "mpi", "HDF5": "hdf5", "OPENBLAS": "openblas", "YAML": "libyaml",
         "PkgConfig": "pkgconfig"}  # fmt: skip
OPTIONAL = {"EGL", "PNG", "BULLET"}
OF_THE_C_LIBRARY = {"Threads"}


def text(name: str) -> str:
    return (SOURCE / name).read_text(encoding="utf-8")


def found(pattern: str, within: str) -> str:
    match = re.search(pattern, within, re.M)
    assert match, f"no {pattern!r}"
    return match[1]


def check_version() -> None:
    version = found(r"^project\(autombpo VERSION (\S+)", text("CMakeLists.txt"))
    assert re.fullmatch(r"\d+\.\d+\.\d+", version), version
    said = subprocess.run([PROGRAM, "version"], capture_output=True, text=True, check=True).stdout
    pages = sorted((BUILD / "said").glob("man1/*.1"))
    assert pages, "no man pages"
    places = {
        "autombpo version": found(r"^autombpo (\S+),", said),
        "CITATION.cff": found(r"^version: (\S+)$", text("CITATION.cff")),
        "the Python package": found(r'^__version__ = "(.+)"', text("analysis/src/autombpo_analysis/__init__.py")),
        "the recipe of Spack": found(r'^    version\("(.+?)"', text(RECIPE)),
        "autombpo.pc": found(r"^Version: (\S+)$", (BUILD / "packaging/autombpo.pc").read_text()),
        **{page.name: found(r'"autombpo (\S+)"', page.read_text()) for page in pages},
    }
    other = {place: named for place, named in places.items() if named != version}
    assert not other, f"CMakeLists.txt says {version}, but {other}"
    assert re.search(r'^dynamic = \["version"\]$', text("analysis/pyproject.toml"), re.M)


def check_recipes() -> None:
    looked_for = set(re.findall(r"(?:pkg_check_modules|pkg_search_module|find_package)\((\w+)", text("CMakeLists.txt")))
    spack = text(RECIPE)
    compile(spack, "package.py", "exec")
    # Spack 1 imports a repository as spack_repo.<namespace>, so its place has to say both
    namespace = found(r"^  namespace: (\S+)$", (SOURCE / RECIPE).parents[2].joinpath("repo.yaml").read_text())
    assert RECIPE.endswith(f"/spack_repo/{namespace}/packages/autombpo/package.py"), namespace
    named = set(re.findall(r'depends_on\("([a-z0-9]+)', spack))
    missing = {SPACK[name] for name in looked_for - OPTIONAL - OF_THE_C_LIBRARY} - named
    assert not missing, f"the recipe of Spack does not name {missing}"
    options = set(re.findall(r"define(?:_from_variant)?\(\"(\w+)", spack))
    known = set(re.findall(r"^(?:option|set)\((\w+)", text("CMakeLists.txt"), re.M))
    assert options <= known, f"the recipe of Spack sets {options - known}, which are no options"

    container = text("packaging/apptainer/autombpo.def")
    setup = text("mpi_launch/setup")
    needed = set(found(r"^    needed='([^']+)'", container).split())
    wanted = set(found(r"^compiler='([^']+)'", setup).split()) | {
        package for package in found(r"^libraries='([^']+)'", setup).split() if package.endswith("-dev")}
    assert needed == wanted, f"the container takes {needed ^ wanted} otherwise than mpi_launch/setup"
    for part, script in re.findall(r"^%(post|test|runscript)\n((?:(?:    .*)?\n)+)", container, re.M):
        subprocess.run(["bash", "-n", "-c", script], check=True)
        assert script.strip(), part


if __name__ == "__main__":
    check_version()
    check_recipes()
    print("one version, and recipes that name what is needed")
