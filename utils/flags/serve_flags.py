"""The flags of detect.py's page."""

from __future__ import annotations

from dataclasses import dataclass

from utils.flags.parser import Parser

HERE = "127.0.0.1:8000"


@dataclass(frozen=True, kw_only=True)
class ServeFlags:
    """`serve`: HOST:PORT, "" for no page; `token_file`: holds the token that the page asks for. See utils/serving."""

    serve: str
    token_file: str


def add_serve(parser: Parser) -> None:
    """The flags of ServeFlags."""
    add = parser.add_argument
    add("--serve", nargs="?", const=HERE, default="", metavar="HOST:PORT", help=f"a page in the browser (at {HERE})")
    add("--token-file", default="", metavar="FILE", help="token that --serve asks for (default: a new one, if needed)")
