#!/usr/bin/env python3
"""Compare two MJCF files in what Bullet's MJCF importer (and ours) reads of them.

    compare_bullet_models.py OURS REFERENCE

Bullet knows a subset of MJCF: the first body of the world and its tree of bodies, with joints, geoms, the
mass of <inertial> and a few defaults. Numbers pass through float32, as in the importer. Prints each value
that differs. Exit code 0: equal; 1: different; 2: a file cannot be read. Needs no other package.
"""
import struct
import sys
import xml.etree.ElementTree as xml


def float32(text):
    return struct.unpack("f", struct.pack("f", float(text)))[0]


def numbers(text):
    return tuple(float32(word) for word in text.split())


class Reader:
    """Turns a file into {place in the tree: value}, so that comparing two files is comparing two dictionaries."""

    def __init__(self, path):
        self.values = {}
        root = xml.parse(path).getroot()
        compiler = root.find("compiler")
        angle = "degree" if compiler is None else compiler.get("angle", "degree")
        self.values["angle unit"] = angle
        defaults = root.find("default")
        joint = None if defaults is None else defaults.find("joint")
        geom = None if defaults is None else defaults.find("geom")
        self.limited = "" if joint is None else joint.get("limited", "")
        self.geom = {} if geom is None else geom.attrib
        self.body(root.find("worldbody").find("body"), "")

    def body(self, body, above):
        at = f"{above}/{body.get('name', '')}"
        self.values[f"{at} pos"] = numbers(body.get("pos", "0 0 0"))
        inertial = body.find("inertial")
        self.values[f"{at} mass"] = None if inertial is None else float(inertial.get("mass"))
        # The order of the children is a fact as well: it numbers links and shapes.
        self.values[f"{at} children"] = [c.tag for c in body if c.tag in ("joint", "geom", "body")]
        for index, joint in enumerate(body.findall("joint")):
            self.joint(joint, f"{at} joint {index}")
        for index, geom in enumerate(body.findall("geom")):
            self.shape(geom, f"{at} geom {index}")
        for child in body.findall("body"):
            self.body(child, at)

    def joint(self, joint, at):
        name = joint.get("name", "joint")
        limited = joint.get("limited", self.limited) == "true"
        self.values[f"{at} name"] = "ignore" if name.startswith("ignore") else name
        self.values[f"{at} type"] = joint.get("type")
        self.values[f"{at} axis"] = numbers(joint.get("axis", "1 0 0"))
        self.values[f"{at} pos"] = numbers(joint.get("pos", "0 0 0"))
        self.values[f"{at} range"] = numbers(joint.get("range")) if limited else None

    def shape(self, geom, at):
        fromto = geom.get("fromto")
        friction = geom.get("friction", self.geom.get("friction", "0.5"))
        self.values[f"{at} type"] = geom.get("type")
        self.values[f"{at} size"] = numbers(geom.get("size"))
        self.values[f"{at} fromto"] = None if fromto is None else numbers(fromto)
        self.values[f"{at} pos"] = numbers(geom.get("pos", "0 0 0"))
        self.values[f"{at} axisangle"] = numbers(geom.get("axisangle", "1 0 0 0"))
        self.values[f"{at} friction"] = numbers(friction)[0]
        for mask in ("contype", "conaffinity"):
            self.values[f"{at} {mask}"] = int(geom.get(mask, self.geom.get(mask, "1")))


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        ours, reference = (Reader(path).values for path in sys.argv[1:])
    except (OSError, ValueError, AttributeError, xml.ParseError) as error:
        print(f"cannot read: {error}", file=sys.stderr)
        return 2
    wrong = 0
    for at in list(reference) + [at for at in ours if at not in reference]:
        a, b = ours.get(at, "missing"), reference.get(at, "missing")
        if a != b:
            wrong += 1
            print(f"  {at}: {a}, expected {b}")
    print(f"{sys.argv[1]}: {f'{wrong} differ' if wrong else 'equal'} ({len(reference)} values)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
