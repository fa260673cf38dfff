"""The page of a report: figures as SVG that follow the reader's light or dark colours, and the
numbers of each as a link that needs no other file. The words are in templates/report.html."""

from __future__ import annotations

import base64
import gzip
import io
import re
from pathlib import Path
from typing import Any

import matplotlib

from .export import MissingExtraError
from .report_figures import Figure
from .style import GREY, PALETTE, RC, Drawing, method_name

PLAIN_DATA = 100_000  # bytes of CSV beyond which it is compressed

# What the figures are drawn in, and the colour of the style sheet that takes its place.
THEME = {colour.lower(): f"var(--c{i})" for i, colour in enumerate(PALETTE)}
THEME |= {
    GREY: "var(--muted)",
    "#000000": "var(--ink)",
    "#262626": "var(--ink)",
    RC["axes.labelcolor"]: "var(--ink)",
    RC["axes.edgecolor"]: "var(--axis)",
    RC["grid.color"]: "var(--grid)",
    RC["xtick.color"]: "var(--muted)",
}


def svg(figure: Figure) -> str:
    """A figure as an <svg> element without fixed size, ids or colours that clash with its page."""
    out = io.StringIO()
    look = RC | {"svg.fonttype": "none", "svg.hashsalt": figure.name, "savefig.facecolor": "none"}
    with matplotlib.rc_context(look):
        figure.drawing.figure.savefig(out, format="svg", transparent=True, bbox_inches="tight",
                                      pad_inches=0.05, metadata={"Date": None})  # fmt: skip
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{figure.name}-", text)
    text = text.replace("'DejaVu Sans';", "'DejaVu Sans', Verdana, sans-serif;")
    return re.sub(r"#[0-9a-f]{6}\b", lambda m: THEME.get(m[0], m[0]), text)


def data_link(drawing: Drawing, name: str) -> dict[str, str]:
    """File name and data: address of the numbers of a figure, gzip-compressed if they are many."""
    out = io.StringIO()
    drawing.write(out)
    return text_link(out.getvalue(), f"{name}.csv", "text/csv")


def text_link(text: str, name: str, kind: str) -> dict[str, str]:
    """File name and data: address of a text."""
    data = text.encode()
    if len(data) > PLAIN_DATA:
        data, name, kind = gzip.compress(data, mtime=0), f"{name}.gz", "application/gzip"
    return {"name": name, "href": f"data:{kind};base64,{base64.b64encode(data).decode()}"}


def figure_value(figure: Figure) -> dict[str, Any]:
    """What the template shows of a figure."""
    return {
        "title": figure.title,
        "caption": figure.caption,
        "svg": svg(figure),
        "data": data_link(figure.drawing, figure.name),
    }


def number(value: float, digits: int = 4) -> str:
    """A number for people; a dash where there is none."""
    if value is None or value != value:
        return "–"
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"


def render(values: dict[str, Any]) -> str:
    """The page as text. Everything but the figures is escaped: paths and commands are no markup."""
    try:
        import jinja2
        import markupsafe
    except ImportError as error:
        raise MissingExtraError(
            f"{error.name} is needed: apt-get install python3-jinja2, or pip install jinja2"
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["method"] = method_name
    environment.filters["markup"] = markupsafe.Markup
    return environment.get_template("report.html").render(values)
