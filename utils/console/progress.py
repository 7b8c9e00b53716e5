"""Progress bars, shown on a terminal only."""

from __future__ import annotations

from collections.abc import Iterable

from tqdm import tqdm

from utils.console.log import T, own_rank
from utils.words.errors import printable


def progress(items: Iterable[T], description: str, total: int | None = None, done: int = 0) -> tqdm[T]:
    """A progress bar on a terminal, nothing elsewhere; of several processes only the first shows one."""
    hidden = True if own_rank() else None  # None: tqdm shows the bar on a terminal only
    title = printable(description)
    return tqdm(items, desc=title, total=total, disable=hidden, initial=done, dynamic_ncols=True, leave=False)
