"""What a request is refused with."""

from __future__ import annotations


class Refused(Exception):
    """A request that is not served: `status` of HTTP, and one `line` that says what is wrong and what to do."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status, self.line = status, line
