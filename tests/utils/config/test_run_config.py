from dataclasses import replace

import pytest

from utils.config.config import Config
from utils.config.run_config import first_reduced, other_value, with_folders
from utils.config.settings import as_yaml, config_from_plain
from utils.words.private_paths import without_folders

WHOLE = replace(
    Config(),
    data=replace(Config().data, data="/home/jane doe/my.yaml", root="/disk/pictures"),
    model=replace(Config().model, sam="/disk/mobile_sam.pt", freeze=(3, "edge"), text_encoder="vectors:/disk/w.st"),
    optim=replace(Config().optim, lr0=1e-5),
)
STORED = config_from_plain(without_folders(WHOLE.plain()), "test")


@pytest.fixture
def last(tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "opt.yaml").write_text(as_yaml(WHOLE, {"data.data": "--data"}))
    return tmp_path / "weights" / "last.pt"


def test_folders_come_back(last):
    assert first_reduced(STORED) == "data.data: .../my.yaml" and not first_reduced(WHOLE)
    assert with_folders(STORED, last) == WHOLE
    assert other_value(STORED, last, ()) == ""


def test_another_name_is_not_taken(last):
    other = replace(STORED, data=replace(STORED.data, data=".../other.yaml"))
    assert with_folders(other, last).data.data == ".../other.yaml"
    assert "data.data is '.../other.yaml'" in other_value(other, last, ())
    assert other_value(other, last, ("data.data",)) == ""


@pytest.mark.parametrize("text", [None, "data: [", "data: {unknown: 1}"])
def test_without_a_sound_file_paths_stay_as_they_are(last, text):
    file = last.parent.parent / "opt.yaml"
    file.unlink() if text is None else file.write_text(text)
    assert with_folders(STORED, last) == STORED
