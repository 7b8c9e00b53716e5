"""What a user asks: on the command line, or in a file with a question on each line."""

from __future__ import annotations

from collections.abc import Sequence

from utils.words.errors import ConfigError, printable
from utils.words.regular_file import UnreadableFile, read_regular

MAX_BYTES = 1_000_000
MOST = 1000  # questions of each picture


def asked_texts(asked: Sequence[str], file: str) -> tuple[str, ...]:
    """The texts of --ask, then the lines of --ask-file without blank ones; the same one twice counts once. Raises
    ConfigError.
    """
    texts = tuple(dict.fromkeys((*asked, *(_lines(file) if file else ()))))
    if len(texts) > MOST:
        raise ConfigError(
            f"--ask: {len(texts):,} questions, at most {MOST:,} are possible; ask the others in a next run"
        )
    return texts


def _lines(file: str) -> list[str]:
    shown = printable(file)
    try:
        text = read_regular(file, MAX_BYTES).decode("utf-8-sig")
    except UnreadableFile as error:
        raise ConfigError(f"--ask-file {shown}: {error}; give a text file with a question on each line") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"--ask-file {shown}: is not UTF-8 text; save it as such") from error
    lines = [line.strip() for line in text.splitlines()]
    if not any(lines):
        raise ConfigError(f"--ask-file {shown}: holds no question; write one on each line")
    return [line for line in lines if line]
