"""Which pictures a split names: folders, list files, globs and COCO files."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from data.files.data_report import Problem
from data.files.folders import expand_glob, glob_folders, walk
from data.files.shards import MANIFEST, SUFFIX, check_shards, members, offsets_of
from data.files.stamps import Watch, no_watch
from data.files.text_lines import text_lines
from data.files.yaml_paths import tidy
from data.labels.coco_labels import CocoImage, CocoTruth, read_coco
from data.labels.loose_names import LooseFiles
from data.pictures.picture_decoder import is_picture, is_unread_picture, read_file
from data.pictures.plane_reader import first_names, is_first, without_seconds
from data.pictures.sources import is_video
from data.sets.data_yaml import DataDescription
from utils.words.errors import DataError, printable
from utils.words.text import counted

TEXT_BYTES = 256 << 20
ARRAYS = (".npy", ".npz")


class Listing:
    """The pictures a split names: path -> the entry of the COCO json that listed it, if one did.

    `watch` is told of every folder and file that decides which these are, before it is looked at.
    """

    def __init__(self, description: DataDescription, split: str, watch: Watch = no_watch) -> None:
        self.watch = watch
        self.root, self.split, self.classes = description.root, split, description.classes[split]
        self.pictures: dict[Path, CocoImage | None] = {}
        self.skipped: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.truths: list[CocoTruth] = []
        self.rows_left_out = 0  # of jsons, with the pictures that are skipped here
        self.spelled: list[str] = []  # how a picture was found that a json spells otherwise
        self.list_files: set[Path] = set()
        self.channels = description.channels
        for entry in description.splits[split]:
            self._add(entry, description.lines[split])

    def _add(self, entry: Path, where: str) -> None:
        self.watch(entry)
        if not os.path.lexists(entry):
            for folder in glob_folders(entry):
                self.watch(folder)
            for match in sorted(expand_glob(entry)):
                self._add(match, where)
        elif os.path.isdir(entry):
            self._add_folder(entry)
        elif entry.suffix.lower() == ".txt":
            self._add_list(entry)
        elif entry.suffix.lower() == ".json":
            self._add_coco(entry)
        elif entry.suffix == SUFFIX:
            self._add_shard(entry)
        elif is_first(entry.name, self.channels):
            self._add_picture(entry)
        else:
            what = "is no folder, list file (.txt), COCO .json, shard (.tar) or picture; mend it"
            raise DataError(f"{where}: {self.split}: {printable(str(entry))} {what}")

    def _add_picture(self, path: Path, entry: CocoImage | None = None) -> None:
        path = tidy(path) if ".." in os.fspath(path) else path  # else one picture could be listed twice
        known = self.pictures.get(path)
        if known is not None and entry is not None and entry.count:
            self.rows_left_out += entry.count
            words = f"names a picture that {known.where} names, too; {counted(entry.count, 'box')} here are left out"
            self._skip(entry.where, "second_entry", words)
        elif path in self.pictures:
            self.skipped["listed_twice"] += 1
        self.pictures[path] = known or entry

    def _skip(self, where: str, reason: str, message: str) -> None:
        self.skipped[reason] += 1
        self.problems.append(Problem(where, reason, message))

    def _add_folder(self, folder: Path) -> None:
        def fail(error: OSError) -> None:
            where = printable(str(error.filename))
            self._skip(where, "unreadable_folder", f"folder cannot be read: {error.strerror}")

        found: list[Path] = []
        for home, folders, files in walk(folder, fail):
            file_names = first_names((*files, *folders), self.channels)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in folders:
                self.watch(os.path.join(home, name))
            for name in sorted(set(files) - set(file_names)):
                if _is_not_read(name) and not name.startswith("."):
                    where = printable(os.path.join(home, name))
                    self._skip(where, "kind_not_read", "is a picture of a kind that is not read")
            for name in sorted(file_names):
                if name.startswith("."):
                    self.skipped["hidden"] += 1
                else:
                    found.append(Path(home, name))
        for path in without_seconds(found, self.channels):
            self._add_picture(path)

    def _add_shard(self, shard: Path) -> None:
        for path in (shard.parent / MANIFEST, offsets_of(shard)):
            self.watch(path)
        check_shards(shard.parent, shard.name)
        for name in members(shard):
            self._add_picture(shard / name)

    def _add_list(self, path: Path) -> None:
        self.list_files.add(path)
        for number, line in enumerate(text_lines(read_file(path, TEXT_BYTES)), 1):
            name = os.fsdecode(line.strip())
            if not name:
                continue
            places = [home / name for home in (path.parent, self.root)]  # an absolute name stays itself
            found = next((place for place in places if self._is_there(place)), None)
            if found is None and name.startswith("#"):
                continue  # a comment
            if found is None or not is_first(os.path.basename(name), self.channels):
                reason = "missing_picture" if found is None else "not_a_picture"
                words = "does not exist" if found is None else "does not end like a picture"
                message = f"'{printable(name[:200])}' {words}; remove or mend it"
                self._skip(f"{printable(str(path))}:{number}", reason, message)
            else:
                self._add_picture(found)

    def _add_coco(self, path: Path) -> None:
        truth = read_coco(path, self.classes)
        self.truths.append(truth)
        beside = path.parent.parent / "images"
        folders = [path.parent, self.root, self.root / "images" / self.split]
        folders += [beside / self.split, beside / path.stem, beside]
        loose = LooseFiles()
        for problem in truth.columns.bad_images:
            self._skip(problem.where, problem.reason, problem.message)
        for index, name in truth.names.items():
            entry = truth[index]
            places = (folder / name for folder in folders)
            found = next((place for place in places if self._is_there(place)), None)
            if found is None:
                spelled = dict.fromkeys(found for folder in folders if (found := loose.find(folder, name)) is not None)
                found = next(iter(spelled)) if len(spelled) == 1 else None
                if found is not None:
                    self.spelled.append(f"'{printable(name[:200])}' is {printable(str(found))}")
            if found is None:
                self.rows_left_out += entry.count
                words = f"is not beside the file nor in images/; {counted(entry.count, 'box')} of it are lost"
                self._skip(entry.where, "missing_picture", f"'{printable(name[:200])}' {words}")
            else:
                self._add_picture(found, entry)

    def _is_there(self, path: Path) -> bool:
        """Whether there is a file; where there is none its folder is watched, in which it may appear."""
        if os.path.lexists(path):
            return True
        self.watch(path.parent)
        return False


def _is_not_read(name: str) -> bool:
    """Whether a file that is no picture to us may hold pictures: of another kind, a video, or by a name with blanks."""
    misnamed = name != name.strip() and is_picture(name.strip())
    return misnamed or is_unread_picture(name) or is_video(name) or name.lower().endswith(ARRAYS)
