#!/usr/bin/env python3
"""Compare two MJCF files as compiled models, field by field and bit for bit.

    compare_models.py OURS REFERENCE [--visual] [--verbose]

Both files are compiled by the installed `mujoco` wheel (any version from 2.2 on). Every number of the
model is compared, in the wheel's own list of fields, so what a later version adds is compared as well.
Left out is only what cannot move a body (--visual prints it): colours, materials, textures, lights,
cameras, names, user data, custom numbers, and how much memory to set aside.
Prints each field that differs. Exit code 0: the physics is equal; 1: it differs; 2: a file does not load.
"""
import argparse
import os
import sys
import tempfile

import mujoco
import numpy as np

# Fields that begin so are looks, text, or tables of names.
VISUAL = (
    "cam_", "light_", "mat_", "tex_", "skin_", "text_", "tuple_", "numeric_", "name_", "names", "vis.",
    "ncam", "nlight", "nmat", "ntex", "nskin", "ntuple", "nnumeric", "nnames", "nuser_", "npaths", "paths",
    "signature",
)
# ... and these parts of the objects that do move (geom_rgba).
VISUAL_PARTS = ("rgba", "matid", "user", "castshadow", "pathadr")
# No effect until it runs out. (njmax and nconmax, the limits of older versions, are compared.)
MEMORY = ("nstack", "narena", "nbuffer")
NUMBER = (bool, int, float, np.number, np.ndarray)


def fields(model):
    """All numeric fields of a compiled model, by name; those of structures as 'opt.timestep'."""
    found = {}
    for prefix, part in (("", model), ("opt.", model.opt), ("stat.", model.stat)):
        for name in dir(part):
            if name.startswith("_"):
                continue
            value = getattr(part, name)
            if isinstance(value, NUMBER):
                found[prefix + name] = np.asarray(value)
    return found


def is_visual(name):
    return name.startswith(VISUAL) or name.rpartition("_")[2] in VISUAL_PARTS


def same_bits(a, b):
    """Equal in shape, type and every bit (so -0.0 differs from 0.0, and NaN equals itself)."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def describe(name, ours, theirs):
    if ours is None or theirs is None:
        return f"{name}: only in {'the reference' if ours is None else 'ours'}"
    if ours.shape != theirs.shape:
        return f"{name}: shape {ours.shape}, expected {theirs.shape}"
    places = []
    for at in np.ndindex(ours.shape):
        if not same_bits(ours[at], theirs[at]):
            index = "[" + ",".join(map(str, at)) + "]" if at else ""
            places.append(f"{index} {ours[at].item()!r}, expected {theirs[at].item()!r}")
    shown = "; ".join(places[:4]) + ("; ..." if len(places) > 4 else "")
    return f"{name}: {len(places)} of {ours.size} differ: {shown}"


def load(path):
    try:
        return mujoco.MjModel.from_xml_path(path)
    except (ValueError, OSError) as error:
        print(f"{path}: {error}", file=sys.stderr)
        sys.exit(2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", help="our MJCF file")
    parser.add_argument("reference", help="the MJCF file that it must equal")
    parser.add_argument("--visual", action="store_true", help="print what differs but cannot move a body, too")
    parser.add_argument("--verbose", action="store_true", help="print the names of the compared fields")
    arguments = parser.parse_args()

    paths = [os.path.abspath(path) for path in (arguments.ours, arguments.reference)]
    os.chdir(tempfile.gettempdir())  # MuJoCo leaves MUJOCO_LOG.TXT in the working directory
    ours, reference = (fields(load(path)) for path in paths)
    compared, numbers, wrong = [], 0, []
    for name in sorted(ours.keys() | reference.keys()):
        skipped = is_visual(name) or name in MEMORY
        if not skipped:
            compared.append(name)
            numbers += reference[name].size if name in reference else 0
        a, b = ours.get(name), reference.get(name)
        if a is not None and b is not None and same_bits(a, b):
            continue
        if not skipped:
            wrong.append(describe(name, a, b))
        elif arguments.visual:
            print("  (not physics) " + describe(name, a, b))

    if arguments.verbose:
        print("  compared: " + " ".join(compared))
    for line in wrong:
        print("  " + line)
    print(
        f"{os.path.basename(arguments.ours)}: {'DIFFERS' if wrong else 'equal'}"
        f" (MuJoCo {mujoco.__version__}, {len(compared)} fields, {numbers} numbers)"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
