"""A checkpoint in fewer bytes, to be passed on: `python -m models.pack --weights best.pt --out small.pt`.

What is left of the training is dropped, matrices are written as float16, and a backbone that is still as its package
has it is not written at all. val.py, detect.py and train.py's --weights take the file as any other.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from models.ready.packed import packed
from utils.console.log import LOG
from utils.console.script import run_script
from utils.files import checkpoint
from utils.files.checkpoint import find_weights
from utils.flags.command_flags import parse_model_pack
from utils.words.errors import ConfigError, printable


def main_story(argv: Sequence[str] | None) -> int:
    """Read, pack, write."""
    flags = parse_model_pack(argv)
    path, out = find_weights(flags.weights), Path(flags.out)
    if out.exists():
        raise ConfigError(f"--out {printable(flags.out)}: is there already; name a new file")
    content = checkpoint.load(path)
    if content.get("packed"):
        raise ConfigError(f"--weights {printable(str(path))}: is packed already")
    checkpoint.save(out, packed(content, path, flags.glossary_words))
    before, after = (one.stat().st_size / 1e6 for one in (path, out))
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    LOG.info("%s: %.1f MB, of %.1f; SHA-256 %s", printable(str(out)), after, before, digest)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
