"""A data set as a few large files: `python -m data.pack --data my.yaml --out FOLDER`, then `--data FOLDER`.

The pictures' files are copied as they are into tar files (see data/files/shards.py), the truth into a COCO json per
split. Training from the folder sees the same samples as from the files.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import io
import json
import os
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from data.files.shards import FORMAT, MANIFEST, OFFSETS, Shard, file_hash, member_name, offsets_of
from data.index.coco_writer import IGNORED, ignores, write_coco
from data.index.union import DataSource, open_data
from data.pictures.picture_decoder import picture_bytes
from data.sets.data_folders import keep_results_out
from data.sets.split_reading import ReadPolicy, RecordSet
from utils.config.config import DataConfig
from utils.console.log import LOG
from utils.console.progress import progress
from utils.console.script import run_script
from utils.files.output_paths import relative_paths
from utils.files.runs import new_folder
from utils.flags.command_flags import PackFlags, parse_pack
from utils.values.record import EVERY_CLASS, Record
from utils.words.errors import ConfigError, printable

SPLITS = ("train", "val", "test")
BLOCK = 512  # bytes of a tar header


def main_story(argv: Sequence[str] | None) -> int:
    """Read every split, copy its pictures, write what describes them."""
    flags = parse_pack(argv)
    out = Path(flags.out).absolute()
    cfg = DataConfig(data=flags.data, root=flags.root, max_pixels=flags.max_pixels)
    source, notices = open_data(cfg, require=())
    for notice in notices:
        LOG.info(notice)
    if not (splits := [split for split in SPLITS if all(split in member.splits for member in source.members)]):
        raise ConfigError(f"--data {printable(flags.data)}: names no pictures; add train and val")
    for member in source.members:
        if not member.channels.plain_rgb:
            raise ConfigError(f"{printable(str(member.source))}: only RGB pictures of one file each are packed")
    keep_results_out(out, source.members, "--out")
    with new_folder(out):
        pack(source, splits, flags, out)
    LOG.info("done: python train.py --data %s", printable(str(out)))
    return 0


def pack(source: DataSource, splits: Sequence[str], flags: PackFlags, out: Path) -> None:
    """Write shards, truth and data.yaml (last) into the new folder `out`. Raises OSError and UserError."""
    policy = ReadPolicy(
        bad_data="error" if flags.bad_data == "error" else "skip",
        drop_duplicates=False,
        allow_empty=True,
        max_pixels=flags.max_pixels,
    )
    shards: list[Shard] = []
    sets = {}
    for split in splits:
        sets[split] = truth = source.read(split, policy)
        for line in truth.data_report.lines():
            LOG.info(line)
        made = list(_write_shards(out, split, truth, flags))
        _write_truth(out, split, truth, made)
        shards += made
    content = {"format": FORMAT, "shards": [shard.plain() for shard in shards]}
    (out / MANIFEST).write_text(json.dumps(content, indent=1), encoding="utf-8")
    (out / "data.yaml").write_text(_describe(out, sets), encoding="utf-8")


def _write_shards(out: Path, split: str, truth: RecordSet, flags: PackFlags) -> Iterator[Shard]:
    """The pictures of a split in tar files of about the wanted size."""
    paths = relative_paths([record.path for record in truth.records])
    bar = progress(zip(truth.records, paths, strict=True), f"packing {split}", len(truth.records))
    number = 0
    writer = _ShardWriter(out, split, number)
    try:
        for record, path in bar:
            raw = picture_bytes(record.path, flags.max_pixels)
            if writer.size and writer.size + len(raw) > flags.shard_bytes:
                yield writer.finish()
                number += 1
                writer = _ShardWriter(out, split, number)
            writer.add(record, path, raw, truth.names)
        yield writer.finish()
    finally:
        writer.close()


class _ShardWriter:
    """One shard while it is written."""

    def __init__(self, out: Path, split: str, number: int) -> None:
        self.path, self.split, self.number, self.size = out / f"{split}-{number:06}.tar", split, number, 0
        self.rows: list[tuple[bytes, int, int]] = []
        self.file: IO[bytes] = open(self.path, "xb")
        self.tar = tarfile.open(fileobj=self.file, mode="w", format=tarfile.USTAR_FORMAT)

    def add(self, record: Record, path: Path, raw: bytes, classes: Sequence[str]) -> None:
        """A picture's file and what is known of it, for those who read the shards with other programs."""
        member = member_name(self.number, len(self.rows), record.path.suffix)
        about = {
            "path": path.as_posix(),
            "height": record.size[0],
            "width": record.size[1],
            "boxes": record.boxes.tolist(),
            "labels": [None if k == EVERY_CLASS else classes[k] for k in record.labels.tolist()],
            "crowd": record.crowd.tolist(),
        }
        # Noted before the file is added: its bytes will begin after one header block.
        self.rows.append((member.encode(), self.tar.offset + BLOCK, len(raw)))
        self._put(member, raw)
        self._put(f"{member.partition('.')[0]}.json", json.dumps(about).encode())
        self.size = self.tar.offset

    def _put(self, member: str, raw: bytes) -> None:
        info = tarfile.TarInfo(member)  # no owner and no time: the same pictures make the same bytes
        info.size, info.mode = len(raw), 0o644
        self.tar.addfile(info, io.BytesIO(raw))

    def finish(self) -> Shard:
        """Close the shard and write its offsets."""
        self.tar.close()
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        np.save(offsets_of(self.path), np.array(self.rows, OFFSETS), allow_pickle=False)
        return Shard(
            file=self.path.name,
            split=self.split,
            pictures=len(self.rows),
            bytes=self.path.stat().st_size,
            sha256=file_hash(self.path),
            offsets_sha256=file_hash(offsets_of(self.path)),
        )

    def close(self) -> None:
        """Give the file back, finished or not."""
        self.file.close()


def _write_truth(out: Path, split: str, truth: RecordSet, shards: Sequence[Shard]) -> None:
    """The COCO json of a split. Pictures without a label are left out of it, as they were."""
    tables = [(shard.file, np.load(offsets_of(out / shard.file), allow_pickle=False)["name"]) for shard in shards]
    file_names = [f"{file}/{name}" for file, members in tables for name in members.astype(str).tolist()]
    folder = out / "annotations"
    folder.mkdir(exist_ok=True)
    write_coco(folder / f"{split}.json", truth, file_names)


def _describe(out: Path, sets: dict[str, RecordSet]) -> str:
    """data.yaml, and the names that it refers to."""
    (out / "names").mkdir()
    for split, truth in sets.items():
        rows = [*map(list, truth.synonyms), *([[IGNORED]] if ignores(truth) else [])]
        (out / "names" / f"{split}.json").write_text(json.dumps(rows, indent=1), encoding="ascii")
    lines = ["# written by python -m data.pack"]
    lines += [f"{split}: {split}-*.tar" for split in sets]
    lines += ["annotations: " + json.dumps({split: f"annotations/{split}.json" for split in sets})]
    lines += ["names: " + json.dumps({split: f"names/{split}.json" for split in sets})]
    mm_per_px = next(iter(sets.values())).mm_per_px
    lines += [f"mm_per_px: {mm_per_px}"] if mm_per_px is not None else []
    if any(ignores(truth) for truth in sets.values()):
        lines.append(f"remap: {{{IGNORED}: ignore}}")
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
