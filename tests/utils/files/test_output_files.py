import os
from pathlib import Path

import pytest

from utils.files.output_files import open_rows, temporary_name, write_json, write_text
from utils.words.errors import ResourceError


def test_text_that_is_no_utf8_is_written_as_it_is_shown(tmp_path):
    write_text(tmp_path / "a.txt", "气 \udc80")
    assert (tmp_path / "a.txt").read_text("utf-8") == "气 \\udc80"
    write_json(tmp_path / "a.json", {"a": "\udc80"})
    assert (tmp_path / "a.json").read_text("utf-8") == '{\n "a": "\\udc80"\n}\n'


def test_a_temporary_name_is_never_too_long():
    for name in ("a", "n" * 250, "n" * 251, "气" * 85):
        place = temporary_name(Path("x") / name)
        assert place.parent == Path("x") and len(os.fsencode(place.name)) <= 255 and place.name.startswith(".")


def test_links_are_replaced(tmp_path):
    (tmp_path / "mine").write_text("mine")
    for name in ("text", "rows"):
        (tmp_path / name).symlink_to("mine")
    write_text(tmp_path / "text", "new")
    with open_rows(tmp_path / "rows") as file:
        file.write("a,b\n")
    assert [(tmp_path / name).read_text() for name in ("mine", "text", "rows")] == ["mine", "new", "a,b\n"]


def test_a_folder_in_the_way_is_named(tmp_path):
    (tmp_path / "results.json").mkdir()
    with pytest.raises(ResourceError, match=r"results.json: cannot be written: Is a directory"):
        write_json(tmp_path / "results.json", {})
    with pytest.raises(ResourceError, match=r"gone/a: cannot be written: No such file"):
        open_rows(tmp_path / "gone" / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]
