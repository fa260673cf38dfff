#!/usr/bin/env python3
"""Rules of the source tree that a compiler does not hold: layers, libraries, budgets, globals.

usage: layers.py SOURCE_DIR

Prints every offence as path:line: text, and ends with 1 if there is one. There are no exceptions.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

LINE_COLUMNS = 100
FUNCTION_LINES = 60
FILE_LINES = {".c": 500, ".cpp": 500, ".h": 200}
LONG_FILE = 100  # lines; a .c beyond it opens with
OPENING = range(5, 16)  # so many lines of comment
ALGORITHM_LINES = 23  # of the paper's Algorithm 1

# A layer may include itself, and these.
BELOW = {
    "base": {},
    "store": {"base"},
    "nn": {"base"},
    "env": {"base"},
    "sac": {"base", "nn", "env"},
    "dynamics": {"base", "nn", "env"},
    "mbpo": {"base", "nn", "env", "sac", "dynamics"},
    "hyper": {"base", "nn", "env", "sac", "dynamics", "mbpo", "store"},
    "theory": {"base", "store"},
    "cluster": {"base", "nn", "env", "sac", "dynamics", "mbpo", "hyper", "store", "theory"},
    "bench": {"base", "nn", "env", "sac", "dynamics", "mbpo", "hyper", "cluster"},
    "run": {"base", "nn", "env", "sac", "dynamics", "mbpo", "hyper", "store"},
    "cli": {"base", "nn", "env", "sac", "dynamics", "mbpo", "hyper", "store", "theory", "cluster", "run",
            "bench"},
}

# What may stand only in files whose path (below src/ or include/) matches.
ONLY_IN = [
    (r"<mpi\.h>|\bMPI_\w+", r"^cluster/comm_mpi\.c$", "MPI belongs to cluster/comm_mpi.c"),
    (r"<hdf5(_hl)?\.h>|\bH5[A-Z]{1,2}\w*\s*\(|\bhid_t\b", r"^store/", "HDF5 belongs to store/"),
    (r"<cblas\.h>|\bcblas_\w+|<(oneapi/)?dnnl|\bdnnl_\w+|\bopenblas_\w+", r"^bench/blas\.c$",
     "BLAS belongs to bench/blas.c"),
    (r"<tgmath\.h>|(?<![\w.])(exp|log|log1p|expm1|pow|sin|cos|tan|tanh|atanh)f\s*\(", r"^bench/floor\.c$",
     "functions of floats round differently from one CPU to another: base/vector_math.h, or those of doubles"),
    (r"<mujoco/|\bmj[a-z]?_\w+\s*\(|\bmjModel\b|\bmjData\b", r"^env/", "MuJoCo belongs to env/"),
    (r"<bullet/|\bbt[A-Z]\w+", r"^env/", "Bullet belongs to env/"),
    (r"<yaml\.h>|\byaml_\w+_(initialize|parse|delete)\b", r"^base/", "libyaml belongs to base/"),
    (r"<jansson\.h>|\bjson_t\b", r"^store/", "jansson belongs to store/"),
    (r"<Random123/|\bphilox4x32\w*\s*\(", r"^base/rng\.c$", "Random123 belongs to base/rng.c"),
    (r"(?<![\w.>])(malloc|calloc|realloc|free|strdup|asprintf|alloca)\s*\(", r"^base/(arena|archive)\.c$",
     "memory comes from arenas"),
    (r"(?<![\w.>])(rand|srand|rand_r|random|drand48|lrand48)\s*\(", r"^$", "random numbers come from base/rng.h"),
    # clocks write logs, and measure what is reported; they never steer
    (r"(?<![\w.>])(time|clock|clock_gettime|gettimeofday)\s*\(",
     r"^base/stopwatch\.c$",
     "results depend on no clock; durations are base/stopwatch.h's"),
    (r"<(EGL|GL)/", r"^env/gl_context\.c$", "OpenGL belongs to env/gl_context.c"),
    (r"<png\.h>|\bpng_\w+\s*\(", r"^cli/movie\.c$", "libpng belongs to cli/movie.c"),
    (r"(?<![\w.>])(exit|_exit|abort)\s*\(", r"^(base/(error|fault|child)|cluster/(comm_mpi|stop)|cli/(movie|surroundings))\.c$",
     "only main ends the program"),
    # the line of progress would stand before it on a terminal
    (r"\bstderr\b", r"^(base/(notice|error)|cluster/reporter|cli/\w+)\.c$", "what a run says is base/notice.h's"),
    (r"\bgoto\s+(?!fail\b)", r"^$", "only `goto fail`"),
]  # fmt: skip

# Mutable variables that outlive a call: the fatal hook, signal flags, descriptions of libraries,
# what the operating system granted.
GLOBALS = {
    "src/base/error.c": {"fatal_hook"},
    "src/base/fault.c": {"fault"},
    "src/cluster/stop.c": {"stop_flag", "save_flag", "interrupts", "grace", "alarm_code"},
    "src/cluster/comm_mpi.c": {"text"},
    "src/nn/gemm_amx.c": {"has"},
}

Offence = tuple[str, int, str]  # path, line, text


def without_comments(text: str) -> str:
    """The same lines without comments and without the contents of strings."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''

    def blank(match: re.Match) -> str:
        token = match.group()
        return "\n" * token.count("\n") if token.startswith("/") else token[0] * 2

    includes = {}
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if line.startswith("#include"):
            includes[i] = line
            lines[i] = ""
    lines = re.sub(pattern, blank, "\n".join(lines), flags=re.S).split("\n")
    for i, line in includes.items():
        lines[i] = line
    return "\n".join(lines)


def layer_offences(path: str, layer: str, lines: list[str]) -> Iterator[Offence]:
    for number, line in enumerate(lines, 1):
        match = re.match(r'#include "(\w+)/', line)
        if match and match.group(1) != layer and match.group(1) not in BELOW[layer]:
            yield path, number, f"{layer} must not include {match.group(1)}/"


def place_offences(path: str, inside: str, lines: list[str]) -> Iterator[Offence]:
    for pattern, places, text in ONLY_IN:
        if not re.search(places, inside):
            for number, line in enumerate(lines, 1):
                if re.search(pattern, line):
                    yield path, number, f"{text}: {line.strip()}"


def budget_offences(path: str, suffix: str, raw: list[str], lines: list[str]) -> Iterator[Offence]:
    if len(raw) > FILE_LINES[suffix]:
        yield path, len(raw), f"{len(raw)} lines, at most {FILE_LINES[suffix]}"
    for number, line in enumerate(raw, 1):
        if len(line) > LINE_COLUMNS:
            yield path, number, f"{len(line)} columns, at most {LINE_COLUMNS}"
    start = 0
    for number, line in enumerate(lines, 1):
        if re.match(r"[^\s#}].*\{$", line) or line == "{":
            start = number
        if line.startswith("}") and start:
            if number - start + 1 > FUNCTION_LINES:
                text = f"{number - start + 1} lines, at most {FUNCTION_LINES}"
                yield path, start, text
            start = 0


def global_offences(path: str, lines: list[str]) -> Iterator[Offence]:
    """Static variables that are not constant, at any depth, and plain ones at the outermost."""
    for number, line in enumerate(lines, 1):
        match = re.match(r"\s*static (?!const\b|inline\b)[^()]*?(\w+)(\[[^]]*\])*\s*(=|;)", line)
        match = match or re.match(r"\s*static const \w+\*+ (\w+)(\[[^]]*\])*\s*(=|;)", line)
        match = match or re.match(
            r"(?!typedef|extern|return|using|static|const|struct|enum|union|#|\})\w[\w* ]* \*?(\w+)(\[[^]]*\])*( =.*|;)$",
            line,
        )
        if match and match.group(1) not in GLOBALS.get(path, set()):
            yield path, number, f"mutable variable {match.group(1)}"


# A function with its body, or a table of constants, that other files may name.
DEFINITION = re.compile(
    r"^(?!static\b|typedef\b)[A-Za-z_][\w *]*?\b(\w+)\([^;{}]*\)\s*\{"
    r"|^(?!static\b|typedef\b)[A-Za-z_][\w ]*?[ *](\w+)(?:\[[^]\n]*\])? = ",
    re.M,
)


def circles(uses: dict[str, set[str]]) -> Iterator[list[str]]:
    """Sets of files of which each needs, over some way, each other one."""
    reached: dict[str, set[str]] = {}
    for file in uses:
        reached[file], todo = set(), [file]
        while todo:
            new = uses[todo.pop()] - reached[file]
            reached[file] |= new
            todo += new
    seen: set[str] = set()
    for file in sorted(uses):
        if file in reached[file] and file not in seen:
            circle = sorted(other for other in reached[file] if file in reached[other])
            seen |= set(circle)
            yield circle


def circle_offences(root: Path) -> Iterator[Offence]:
    """No two files need each other: functions and tables of .c files, imports of the analysis."""
    texts = {file.relative_to(root).as_posix(): without_comments(file.read_text(encoding="utf-8"))
             for file in sorted(root.glob("src/**/*.c"))}  # fmt: skip
    home = {found.group(1) or found.group(2): path
            for path, text in texts.items() for found in DEFINITION.finditer(text)}  # fmt: skip
    uses = {path: {home[word] for word in re.findall(r"\b[A-Za-z_]\w*\b", text) if word in home} - {path}
            for path, text in texts.items()}  # fmt: skip
    for file in sorted(root.glob("analysis/src/*/*.py")):
        imported = re.findall(r"^ *from (?:\.(\w+) import|\. import ([\w, ]+))", file.read_text(encoding="utf-8"), re.M)
        names = {name.split()[0] for pair in imported for name in ",".join(pair).split(",") if name.strip()}
        uses[file.relative_to(root).as_posix()] = {
            (file.parent / f"{name}.py").relative_to(root).as_posix() for name in names
        }
    for other in set().union(*uses.values()) - uses.keys():
        uses[other] = set()
    for circle in circles(uses):
        yield circle[0], 1, f"a circle of files: {', '.join(circle)}"


def cited_deviations(text: str) -> set[str]:
    """Numbers of deviations in comments: "(docs/algorithms.md, D2)", "D16 of docs/algorithms.md"."""
    text = re.sub(r"\s*\n\s*(//|#)\s*", " ", text)
    return set(re.findall(r"docs/algorithms\.md, (D\d+)", text)) | set(
        re.findall(r"\b(D\d+) of docs/algorithms\.md", text)
    )


def deviation_offences(root: Path) -> Iterator[Offence]:
    """Each deviation of docs/algorithms.md is cited where it is, and no other is."""
    document = "docs/algorithms.md"
    text = (root / document).read_text(encoding="utf-8")
    known = {number: text[: text.index(f"\n{number}. ")].count("\n") + 2
             for number in re.findall(r"^(D\d+)\. ", text, re.M)}  # fmt: skip
    cited: dict[str, str] = {}
    for file in [*root.glob("src/**/*.*"), *root.glob("include/**/*.h"), *root.glob("configs/**/*.yaml")]:
        for number in cited_deviations(file.read_text(encoding="utf-8")):
            cited[number] = file.relative_to(root).as_posix()
    for number in known.keys() - cited.keys():
        yield document, known[number], f"{number} is cited in no file"
    for number in cited.keys() - known.keys():
        yield cited[number], 1, f"{number} is not in {document}"


# Where a path begins that a text cites, and what it may not be part of.
CITED = re.compile(r"(?<![\w/.$}*-])(?:docs|tests|configs|mpi_launch|src|include|analysis)/[\w./-]*\w")

# How comments look, by suffix; all of a document is one. Scripts have no suffix.
COMMENTS = {
    **dict.fromkeys((".c", ".cpp", ".h"), r"//[^\n]*|/\*.*?\*/"),
    **dict.fromkeys((".py",), r"#[^\n]*|\"\"\".*?\"\"\""),
    **dict.fromkeys(("", ".sh", ".sbatch", ".yaml", ".txt"), r"(?:^|\s)#[^\n]*"),
    ".md": r".+",
}


def citation_offences(path: str, root: Path, text: str) -> Iterator[Offence]:
    """Comments and documents cite files that are there, and nothing that a reader does not have."""
    for found in re.finditer(COMMENTS[Path(path).suffix], text, re.S | re.M):
        for cited in CITED.finditer(found.group()):
            number = text.count("\n", 0, found.start() + cited.start()) + 1
            name = cited.group().rsplit("/", 1)[1]
            if not name.isupper() and not (root / cited.group()).exists():  # DIR/NAME is no name
                yield path, number, f"{cited.group()} is not in the repository"
        for cited in re.finditer(r"\bfacts? \d", found.group()):
            number = text.count("\n", 0, found.start() + cited.start()) + 1
            yield path, number, f"cites what is not in the repository: {cited.group()}"


def all_citation_offences(root: Path) -> Iterator[Offence]:
    places = ("src", "include", "tests", "analysis", "mpi_launch", "configs", "docs")
    inside = [file for place in places for file in (root / place).rglob("*")
              if not any(part.startswith(".") for part in file.relative_to(root).parts)]
    for file in sorted([*inside, *root.glob("*.md"), root / "CMakeLists.txt"]):
        if file.is_file() and file.suffix in COMMENTS:
            path = file.relative_to(root).as_posix()
            yield from citation_offences(path, root, file.read_text(encoding="utf-8"))


def pipe_offences(root: Path) -> Iterator[Offence]:
    """`grep -q` leaves a pipe early; whoever still writes into it fails, now and then, under pipefail."""
    for file in [*root.glob("tests/**/*.sh"), *root.glob("mpi_launch/*")]:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"\|\s*grep\s+-[A-Za-z]*q", line):
                path = file.relative_to(root).as_posix()
                yield path, number, "grep -q at the end of a pipe: grep ... >/dev/null"


# What a test takes for granted about time.
IMPATIENT = [
    ("tests/**/*.sh", r"^sleep ", "a test waits for what shall be, not for a time (tests/cli/hold.sh)"),
    ("tests/**/*.sh", r"\bSECONDS - \w+ <=? \d{1,2}\b", "a slow machine takes longer"),
    ("tests/**/*.sh", r"\btimeout (-k \S+ )?\d{1,2} ", "a slow machine takes longer"),
    ("tests/**/*.py", r"\btimeout=\d{1,2}\b", "a slow machine takes longer"),
    ("tests/**/CMakeLists.txt", r"\bTIMEOUT \d", "AUTOMBPO_HANGS_AFTER is for all tests"),
]


def patience_offences(root: Path) -> Iterator[Offence]:
    for pattern, impatient, why in IMPATIENT:
        for file in sorted(root.glob(pattern)):
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
                if re.search(impatient, line):
                    yield file.relative_to(root).as_posix(), number, why


def opening_offences(path: str, raw: list[str]) -> Iterator[Offence]:
    """A long .c opens with what it is, its moving parts, and why it is so."""
    opening = 0
    while opening < len(raw) and raw[opening].startswith("//"):
        opening += 1
    if path.endswith(".c") and len(raw) > LONG_FILE and opening not in OPENING:
        text = f"{len(raw)} lines, but an opening comment of {opening}, expected 5 to 15"
        yield path, 1, text


def cited_algorithm_lines(text: str) -> set[int]:
    """Lines of Algorithm 1 that its comments name: "Algorithm 1, lines 4, 17 and 18; lines 20 to 21"."""
    cited: set[int] = set()
    for comment in re.findall(r"(?:^[^\n]*?//[^\n]*\n)+", text + "\n", re.M):
        comment = re.sub(r"\s*\n\s*//\s*", " ", comment)
        _, named, after = comment.partition("Algorithm 1")
        numbers = r"\d+(?:(?: to |, | and )\d+)*"
        for found in re.findall(rf"\blines? ({numbers})", after if named else ""):
            for first, last in re.findall(r"(\d+)(?: to (\d+))?", found):
                cited |= set(range(int(first), int(last or first) + 1))
    return cited


def algorithm_offences(root: Path) -> Iterator[Offence]:
    """Each line of Algorithm 1 is cited where it is implemented, and no other is."""
    missing = set(range(1, ALGORITHM_LINES + 1))
    known = frozenset(missing)
    for file in sorted(root.glob("src/**/*.c")):
        cited = cited_algorithm_lines(file.read_text(encoding="utf-8"))
        missing -= cited
        for number in sorted(cited - known):
            path = file.relative_to(root).as_posix()
            yield path, 1, f"Algorithm 1 has no line {number}"
    for number in sorted(missing):
        yield "src", 1, f"line {number} of Algorithm 1 is cited in no file"


# Words that are also the name of a kind of scheduler: a verb, a flag, a system call, options.
OTHER_MEANINGS = {
    ("src/cli/movie.c", "fork"),
    ("src/cli/verb_env.c", "replay"),
    ("src/cli/verb_play.c", "random"),
    ("src/hyper/ppo_forks.c", "fork"),
    ("src/run/run_config.c", "ppo"),
}
KINDS_TABLE = "include/hyper/scheduler_table.h"


def kind_offences(root: Path) -> Iterator[Offence]:
    """Only its own file and the table name a kind of scheduler: no other asks which one it is."""
    kinds = re.findall(r"KIND\((\w+), \"", (root / KINDS_TABLE).read_text(encoding="utf-8"))
    any_kind = "|".join(kinds)
    name = re.compile(rf'"({any_kind})"|\bscheduler_({any_kind})\b|\bscheduler\.kind=({any_kind})\b')
    used = set()
    layers = ("hyper", "run", "cluster", "bench", "cli")
    files = [file for layer in layers for file in sorted(root.glob(f"*/{layer}/**/*.[ch]"))]
    for file in files:
        path = file.relative_to(root).as_posix()
        if path.startswith("tests/") or path == KINDS_TABLE:
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            for found in name.finditer(line.partition("//")[0]):
                kind = found[1] or found[2] or found[3]
                if found[3] and path.startswith("src/cli/verb"):  # presets of a verb, as a user gives them
                    continue
                used.add((path, kind))
                if path != f"src/hyper/schedulers/{kind}.c" and (path, kind) not in OTHER_MEANINGS:
                    yield path, number, f"names the scheduler {kind}: {line.strip()}"
    for path, kind in sorted(OTHER_MEANINGS - used):
        yield path, 1, f'the other meaning of "{kind}" is not needed any more: delete it'


def offences(root: Path) -> Iterator[Offence]:
    yield from kind_offences(root)
    yield from deviation_offences(root)
    yield from algorithm_offences(root)
    yield from all_citation_offences(root)
    yield from pipe_offences(root)
    yield from patience_offences(root)
    yield from circle_offences(root)
    for file in sorted([*root.glob("src/**/*"), *root.glob("include/**/*")]):
        if file.suffix not in FILE_LINES:
            continue
        path = file.relative_to(root).as_posix()
        inside = path.split("/", 1)[1]
        text = file.read_text(encoding="utf-8")
        raw = text.splitlines()
        lines = without_comments(text).split("\n")
        yield from layer_offences(path, inside.split("/")[0], raw)
        yield from place_offences(path, inside, lines)
        yield from budget_offences(path, file.suffix, raw, lines)
        yield from global_offences(path, lines)
        yield from opening_offences(path, raw)


def main() -> int:
    found = list(offences(Path(sys.argv[1])))
    for path, line, text in found:
        print(f"{path}:{line}: {text}")
    print(f"{len(found)} offences")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
