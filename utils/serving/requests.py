"""What a request says: its JSON, its parameters, its number; each of the type it should have, or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from utils.page.refusal import Refused
from utils.words.text import shown

MOST_BYTES = 1 << 20  # of JSON
MOST_QUESTIONS, LONGEST_QUESTION, LONGEST_PROMPTS = 10, 500, 2000
_NUMBER = re.compile(r"[0-9]{1,15}")


async def read_json(request: Request, keys: Collection[str]) -> dict[str, Any]:
    """The object that a request sends, with no other keys than these. Raises Refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "Content-Type must be application/json")
    content = json_of(await _bytes_of(request))
    if not isinstance(content, dict):
        raise Refused(400, "the JSON must be an object, {...}")
    for key in content:
        if key not in keys:
            raise Refused(400, f"unknown key {shown(key)}; known are {', '.join(keys) or 'none'}")
    return content


async def _bytes_of(request: Request) -> bytes:
    content = bytearray()
    try:
        async for part in request.stream():
            content += part
            if len(content) > MOST_BYTES:
                raise Refused(413, f"the JSON has more than {MOST_BYTES:,} bytes; send less")
    except ClientDisconnect as error:
        raise Refused(400, "the request was cut off; send it again") from error
    return bytes(content)


def json_of(content: bytes | str) -> Any:
    """Parsed JSON, without NaN and infinities. Raises Refused with 400."""
    try:
        return json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # also: no UTF-8, numbers of thousands of digits
        raise Refused(400, "not JSON that can be read; mend it") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def limit_of(request: Request, default: int = 50, most: int = 200) -> int:
    """The parameter `limit`. Raises Refused with 400."""
    return min(max(number_of(request.query_params.get("limit", str(default)), "limit", 400), 1), most)


def number_of(text: str, what: str, status: int = 404) -> int:
    """A whole number from 0. Raises Refused."""
    if not _NUMBER.fullmatch(text):
        raise Refused(status, f"{what} must be a whole number, not {shown(text)}")
    return int(text)


def text_of(body: Mapping[str, Any], key: str, longest: int, default: str | None = None) -> str:
    """A text. Raises Refused with 400."""
    value = body.get(key, default)
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(400, f"{key}: must be a text of at most {longest:,} letters")
    return value


def prompts_of(value: object) -> str:
    """What to look for, in words. Raises Refused with 400."""
    return text_of({"prompts": value}, "prompts", LONGEST_PROMPTS).strip()


def questions_of(value: object) -> tuple[str, ...]:
    """Questions, without those that are blank. Raises Refused with 400."""
    texts = isinstance(value, list) and all(isinstance(one, str) and len(one) <= LONGEST_QUESTION for one in value)
    if not isinstance(value, list) or not texts or len(value) > MOST_QUESTIONS:
        most = f"at most {MOST_QUESTIONS} texts of at most {LONGEST_QUESTION} letters"
        raise Refused(400, f"questions: must be a JSON list of {most}")
    return tuple(one.strip() for one in value if one.strip())
