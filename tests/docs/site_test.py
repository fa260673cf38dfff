#!/usr/bin/env python3
"""No link of a document is dead, neither in the repository nor in the site that MkDocs makes of it; and the site
loads nothing from elsewhere.

usage: site_test.py SOURCE_DIR
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MkDocs make it."""
    plain = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```|`[^`\n]+`", "", text, flags=re.S | re.M)


def repository_problems(source: Path) -> Iterator[str]:
    """Links of Markdown files to files and headings that are not there."""
    git = ["git", "-c", f"safe.directory={source}", "ls-files", "-z", "*.md"]
    names = subprocess.run(git, cwd=source, capture_output=True, check=True).stdout.decode()
    for name in filter(None, names.split("\0")):
        path = source / name
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text(encoding="utf-8"))):
            link = urlsplit(target)
            if link.scheme:
                continue
            to = (path.parent / unquote(link.path)).resolve() if link.path else path
            made = {"analysis.md": "analysis/README.md", "contributing.md": "CONTRIBUTING.md",
                    "changelog.md": "CHANGELOG.md"}.get(link.path)  # fmt: skip, packaging/site.py
            to = source / made if made and not to.exists() else to
            if to.parent == source / "docs/reference":
                continue  # made of the headers; the site has it
            if not to.exists():
                yield f"{name}: links to {target}, which is not there"
            elif link.fragment and to.suffix == ".md":
                text = re.sub(r"^ *```.*?^ *```", "", to.read_text(encoding="utf-8"), flags=re.S | re.M)
                if link.fragment not in map(slug, re.findall(r"^#+ (.*)$", text, re.M)):
                    yield f"{name}: links to {target}, but there is no such heading"


def message_problems(source: Path) -> Iterator[str]:
    """Messages that the page about errors quotes, and that no source says any more."""
    files = [*source.glob("src/**/*.c"), *source.glob("include/**/*.h"), *source.glob("analysis/src/**/*.py"),
             *source.glob("mpi_launch/*")]  # fmt: skip
    said = "\n".join(path.read_text(encoding="utf-8") for path in files)
    said = re.sub(r'"\s*\n\s*f?"|" [A-Z_]+ "', "", said).replace('\\"', '"')
    said = re.sub(r"%[-.*0-9]*(?:l*[a-z])|\{[^}\n]*\}", "...", said)
    page = "docs/troubleshooting.md"
    for row in re.findall(r"^\| (.*?) \| ", (source / page).read_text(encoding="utf-8"), re.M):
        for quoted in re.findall(r"`([^`]+)`", row):
            parts = [part.strip(" '") for part in quoted.split("...")]
            for part in parts:
                if len(part) > 3 and part not in said:
                    yield f"{page}: no source says '{part}' ({quoted})"


class Page(HTMLParser):
    def __init__(self, text: str):
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []  # what it is shown with
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        words = dict(attributes)
        self.ids |= {words[key] for key in ("id", "name") if words.get(key)}
        self.links += [words[key] for key in ("href", "src") if words.get(key)]
        self.loads += [words[key] for key in ("href", "src") if words.get(key) and (tag == "link" or key == "src")]


def site_problems(source: Path, site: Path) -> Iterator[str]:
    mkdocs = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(site)]
    done = subprocess.run(mkdocs, cwd=source, capture_output=True, text=True)
    if done.returncode != 0:
        yield f"mkdocs build --strict: {done.stdout}{done.stderr}"
        return
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    for path, page in pages.items():
        for target in page.loads:
            if urlsplit(target).netloc:
                yield f"{path.relative_to(site)}: is shown with {target}, which is elsewhere"
        if path.name != "404.html" and not any(target.endswith("site.css") for target in page.loads):
            yield f"{path.relative_to(site)}: without site.css, so that wide tables widen it"
        for target in page.links:
            link = urlsplit(target)
            if link.scheme or path.name == "404.html":
                continue
            to = (path.parent / unquote(link.path)).resolve() if link.path else path
            to = to / "index.html" if to.is_dir() else to
            if not to.exists():
                yield f"{path.relative_to(site)}: links to {target}, which is not there"
            elif link.fragment and to in pages and link.fragment not in pages[to].ids:
                yield f"{path.relative_to(site)}: links to {target}, but there is no such place"
    for path in pages:
        plain = re.sub(r"<pre>.*?</pre>|<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.S)
        if row := re.search(r"^.*\|-{3}.*$", plain, re.M):
            yield f"{path.relative_to(site)}: a table that is shown as text: {row[0][:60]}"
    shown = "".join(p.read_text(encoding="utf-8") for p in site.glob("reference/*.html"))
    for header in source.glob("include/*/*.h"):
        if f">{header.relative_to(source / 'include')}<" not in shown:
            yield f"{header}: is not in the reference"
    index = (site / "index.html").read_text(encoding="utf-8")
    for document in source.glob("docs/**/*.md"):
        place = document.relative_to(source / "docs").with_suffix(".html")
        place = place.with_name("index.html") if place.name == "README.html" else place
        if place.name != "index.html" and f'href="{place}"' not in index:
            yield f"{document}: no menu leads to it"


def main() -> int:
    source = Path(sys.argv[1]).resolve()
    problems = [*repository_problems(source), *message_problems(source)]
    has = subprocess.run([sys.executable, "-c", "import mkdocs"], capture_output=True).returncode == 0
    if has:
        with tempfile.TemporaryDirectory() as directory:
            problems += site_problems(source, Path(directory).resolve() / "site")
    print("\n".join(problems))
    if problems:
        return 1
    if not has:
        print("links of the repository are good; mkdocs is not installed: the site is skipped")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
