"""HTML from values: whatever is not Html is escaped, so that no name in the data can become markup; and numbers as the
console shows them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from utils.deciding import intervals
from utils.words.errors import printable


class Html(str):
    """Text that is markup already."""


def text(value: object) -> Html:
    """Any value as markup, escaped unless it is Html; no line ends between a number and its %."""
    if isinstance(value, Html):
        return value
    # &nbsp; comes after the escaping, which would turn its & into text
    return Html(escape(printable(str(value)), quote=True).replace(" %", "&nbsp;%"))


def file_name(value: str) -> Html:
    """A path that is broken after a slash, if at all."""
    return Html(text(value).replace("/", "/<wbr>"))


def joined(parts: Iterable[object], between: str = "") -> Html:
    """Several values as one piece of markup."""
    return Html(between.join(text(part) for part in parts))


def element(name: str, *content: object, **attributes: object) -> Html:
    """`<name attribute="...">content</name>`; a trailing underscore of an attribute is dropped (`class_`)."""
    words = "".join(f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{words}>{joined(content)}</{name}>")


def table(headers: Sequence[object], rows: Iterable[Sequence[object]]) -> Html:
    """A table that scrolls sideways by itself where it is wider than the screen; the first column holds names."""
    head = element("tr", *(element("th", cell, scope="col") for cell in headers))
    body = [element("tr", *(element("td", cell) for cell in row)) for row in rows]
    # tabindex: so that the keyboard can scroll it too
    return element("div", element("table", element("thead", head), element("tbody", *body)), class_="wide", tabindex=0)


def listed(lines: Iterable[object]) -> Html:
    """A list of sentences."""
    return element("ul", *(element("li", line) for line in lines))


def section(title: str, *content: object) -> Html:
    """A part of the page, which the contents at the top lead to."""
    return element("section", element("h2", title), *content, id=anchor(title))


def anchor(title: str) -> str:
    """The name of a section in an address."""
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())


def why_not(reason: str) -> Html:
    """In place of what cannot be computed."""
    return element("p", reason, class_="why")


def data_block(name: str, value: Any) -> Html:
    """Values for the script, as text that no browser takes for markup."""
    words = json.dumps(value, ensure_ascii=True, allow_nan=False)
    for letter in "<>&":  # a class called "</script>" would end the block
        words = words.replace(letter, f"\\u{ord(letter):04x}")
    return Html(f'<script type="application/json" id="{text(name)}">{words}</script>')


def rate_words(plain: Mapping[str, Any] | None, missing: str) -> str:
    """A rate of results.json as the console shows it."""
    return missing if plain is None else intervals.rate_words(*(plain[k] for k in ("events", "total", "low", "high")))


def share_words(events: int, total: int, missing: str) -> str:
    """What happened, without an interval: it promises nothing. None or all are no 0 % or 100 %, and stay counts."""
    if not total:
        return missing
    counts = f"{events:,} of {total:,}"
    return f"{counts} ({intervals.percent(events / total)} %)" if 0 < events < total else counts


def number(value: float | None, digits: int = 3) -> str:
    """With `digits` decimals, or a dash for what is undefined."""
    return "-" if value is None else f"{value:.{digits}f}"
