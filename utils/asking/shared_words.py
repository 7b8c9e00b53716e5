"""What is asked of one noun in two ways at once: `how long and wide is it`, `position and size of`, 多长多宽."""

from __future__ import annotations

import re

from utils.english.limits import ADJECTIVES

_ADJECTIVE = "|".join(ADJECTIVES)
_HEAD = rf"(?:where|how (?:many|bad|severe|{_ADJECTIVE}))"
_ATTRIBUTE = (
    "(?:size|length|width|height|area|thickness|diameter|position|location|number|count|quantity|type|class|kind|shape"
    "|severity|coverage|positions|locations|sizes|lengths|widths)"
)
_HEADS = re.compile(
    rf"(?P<before>(?:and |also |please )?)(?P<first>{_HEAD})"
    rf"(?P<others>(?:(?:,| and|, and|/| &) (?:{_HEAD}|{_ADJECTIVE}))+)(?P<rest>\s.*|)",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTES = re.compile(
    rf"(?P<before>[^,]*?)\b(?P<first>{_ATTRIBUTE})"
    rf"(?P<others>(?:(?:,| and|, and|/| &) (?:the )?{_ATTRIBUTE})+)(?P<rest>\s.*|)",
    re.IGNORECASE | re.DOTALL,
)
_ONE_HEAD = re.compile(rf"\b(?:{_HEAD}|{_ADJECTIVE}|{_ATTRIBUTE})\b", re.IGNORECASE)
_CHINESE_ATTRIBUTE = "(?:长度|宽度|高度|面积|大小|尺寸|数量|位置|类型|长|宽|高)"
_CHINESE_ATTRIBUTES = re.compile(
    f"(?P<before>.*?)(?<!最)(?P<first>{_CHINESE_ATTRIBUTE})(?P<others>(?:[和与、]{_CHINESE_ATTRIBUTE})+)"
    "(?P<rest>(?:分别|各)?(?:是|有|为|多少).*|)",
    re.DOTALL,
)
_CHINESE_ADJECTIVES = re.compile(
    "(?P<before>.*?)(?P<first>多[大长宽高粗])(?P<others>(?:[和与、,，]?多[大长宽高粗])+)(?P<rest>)", re.DOTALL
)
_LONG_FORM = {"长": "长度", "宽": "宽度", "高": "高度"}
_ONE_CHINESE = re.compile(f"{_CHINESE_ATTRIBUTE}|多[大长宽高粗]")
_KINDS = (
    (_HEADS, _ONE_HEAD),
    (_ATTRIBUTES, _ONE_HEAD),
    (_CHINESE_ATTRIBUTES, _ONE_CHINESE),
    (_CHINESE_ADJECTIVES, _ONE_CHINESE),
)


def distributed(clause: str) -> list[str]:
    """`how long and wide is it` -> `how long is it`, `how wide is it`; what asks for one thing stays as it is."""
    for pattern, one in _KINDS:
        match = pattern.fullmatch(clause)
        if match is not None:
            heads = [_LONG_FORM.get(head, head) for head in (match["first"], *one.findall(match["others"]))]
            heads = [f"how {head}" if head.lower() in ADJECTIVES else head for head in heads]
            return [f"{match['before']}{head}{match['rest'].replace('分别', '')}" for head in heads]
    return [clause]


def is_head(clause: str) -> bool:
    """Whether it only begins a question, whose rest the next one has: `how many` and where are the holes."""
    return _ONE_HEAD.fullmatch(clause) is not None
