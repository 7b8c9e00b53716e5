"""The page around the sections: one file, nothing fetched, nothing but its own script allowed to run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence

from utils.report.markup import Html, anchor, element, joined, section, text
from utils.report.style import SCRIPT, STYLE


def page(title: str, subtitle: str, warnings: Sequence[str], sections: Mapping[str, Html]) -> str:
    """The whole document; `sections` by their titles, in order."""
    links = [element("a", name, href=f"#{anchor(name)}") for name in sections]
    notes = [element("p", line, class_="warning") for line in warnings]
    parts = [section(name, content) for name, content in sections.items()]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{text(_policy())}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<link rel="icon" href="data:,">',  # an empty one: a browser would look for favicon.ico otherwise
            f"<title>{text(title)}</title><style>{STYLE}</style></head><body>",
            element("header", element("h1", title), element("p", subtitle, class_="soft"), element("nav", *links)),
            element("main", *notes, joined(parts, "\n")),
            element("footer", element("small", "This file needs no network and loads nothing.")),
            f"<script>{SCRIPT}</script></body></html>",
            "",
        ]
    )


def _policy() -> str:
    """Everything is forbidden but inlined pictures, styles, and the one script, known by its hash."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode("utf-8")).digest()).decode("ascii")
    # styles need 'unsafe-inline': a hash does not cover style attributes, such as the colours of the matrix
    parts = ("default-src 'none'", "img-src data:", "style-src 'unsafe-inline'", f"script-src 'sha256-{digest}'")
    return "; ".join((*parts, "base-uri 'none'", "form-action 'none'"))
