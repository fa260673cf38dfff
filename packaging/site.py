"""Pages of the site that are made when it is built: a hook of mkdocs.yml.

The reference is made of the headers, a page a layer, so that it cannot drift. Documents that belong
elsewhere in the repository are taken from there, and their links follow them.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
ELSEWHERE = {"analysis/README.md": "analysis.md", "CONTRIBUTING.md": "contributing.md",
             "CHANGELOG.md": "changelog.md"}  # fmt: skip
LAYERS = ["base", "nn", "env", "sac", "dynamics", "mbpo", "store", "hyper", "theory", "cluster", "bench",
          "run", "cli"]  # fmt: skip, in reading order


def header_page(layer: str) -> str:
    """Each header: what it is, then its declarations with their contracts, as they stand in the file."""
    lines = [f"# Headers of {layer}/", "", f"Made of `include/{layer}/`."]
    for path in sorted((ROOT / "include" / layer).glob("*.h")):
        opening, _, rest = path.read_text(encoding="utf-8").partition("#ifndef")
        about = " ".join(line[2:].strip() or "\n\n" for line in opening.splitlines())
        about = about.partition(" - ")[2].strip()
        body = re.sub(r"^ \w+\n#define \w+\n|\n#endif[^\n]*\s*$|^#include [^\n]*\n", "", rest, flags=re.M)
        lines += ["", f"## {layer}/{path.name}", "", about, "", "```c", body.strip(), "```"]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    made = {f"reference/{layer}.md": header_page(layer) for layer in LAYERS}
    for source, name in ELSEWHERE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        made[name] = re.sub(r"\]\((?:\.\./)*docs/", "](", text)
    return made


def on_config(config):
    config["nav"].append({"Headers": [f"reference/{layer}.md" for layer in LAYERS]})
    return config


def on_files(files, config):
    directory = tempfile.mkdtemp(prefix="autombpo-site-")
    for name, text in pages().items():
        path = Path(directory, name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        files.append(File(name, directory, config["site_dir"], config["use_directory_urls"]))
    config["made_pages"] = directory
    return files


def on_post_build(config):
    directory = Path(config["made_pages"])
    for path in sorted(directory.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    directory.rmdir()
