"""The command lines as the authors' README prints them, and as word processors leave them."""

import pytest

from utils.config.paths import CFG, find_yaml
from utils.flags.argv_repair import repair
from utils.flags.train_flags import parse_train
from utils.flags.val_flags import parse_val

KNOWN = ("--cfg", "--data", "--hyp", "--weights", "--batch-size", "--epochs", "--name", "--evolve")
PUBLISHED = "IDFE-Net-Enhanced version.yaml"


def repaired(line, known=KNOWN):
    return repair(line if isinstance(line, list) else line.split(" "), known)


def test_the_published_line_unquoted():
    words, notices = repaired(f"--data /data/GCD-Part-1.yaml --cfg /modles/{PUBLISHED} --batch-size 8")
    assert words == ["--data", "GCD-Part-1.yaml", "--cfg", PUBLISHED, "--batch-size", "8"]
    assert len(notices) == 3
    assert f'--cfg "/modles/{PUBLISHED}"' in notices[1]
    assert "cfg/data/GCD-Part-1.yaml" in notices[0] and f"cfg/models/{PUBLISHED}" in notices[2]
    assert find_yaml(words[3], "models", "--cfg") == CFG / "models" / PUBLISHED


def test_the_published_line_through_the_parser():
    given = {s.key: s.value for s in parse_train(f"----cfg /modles/{PUBLISHED} --weights=".split(" ")).settings}
    assert given == {"model.cfg": PUBLISHED, "model.weights": ""}
    assert parse_val(["–cfg", "/modles/idfe-net.yaml", "--summary"]).cfg == "idfe-net.yaml"


def test_with_an_equals_sign():
    assert repaired(f"--cfg=/modles/{PUBLISHED} --epochs 3")[0] == [f"--cfg={PUBLISHED}", "--epochs", "3"]


@pytest.mark.parametrize("dashes", ["---", "----", "–", "—", "−", "‐‐", "-–", "–-", "\uff0d\uff0d", "\u2011"])
def test_dashes_before_a_known_flag(dashes):
    words, notices = repaired([f"{dashes}batch-size", "8", f"{dashes}cfg=idfe-net.yaml"])
    assert words == ["--batch-size", "8", "--cfg=idfe-net.yaml"]
    assert notices == [f"{dashes}batch-size: taken as --batch-size", f"{dashes}cfg: taken as --cfg"]


def test_a_unicode_hyphen_within_a_flag():
    assert repaired(["--batch\u2011size", "8"])[0] == ["--batch-size", "8"]


RIGHT = [
    ["--cfg", "idfe-net.yaml", "--epochs", "3"],
    ["--cfg", "idfe-net"],
    ["---unknown", "–nothing", "-cfg", "--", "-", "–"],
    ["--name", "a–b", "--epochs", "-1"],
    ["--cfg", "nowhere", "else.yaml"],
    ["--cfg", "--data"],
    ["--cfg"],
    ["--cfg", "idfe-net.yaml", "version.yaml"],
    ["--weights", "/weights/nowhere.pt"],
    ["--weights", "", "x"],
    ["--data=", "--cfg="],
    ["--data", "x" * 5000],
    ["--data", "a\0b"],
]


@pytest.mark.parametrize("words", RIGHT, ids=lambda words: " ".join(words)[:30].replace("\0", "0"))
def test_what_is_right_or_beyond_repair_stays(words):
    assert repaired(list(words)) == (words, [])


def test_a_path_that_is_there_is_taken_as_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "modles" / "idfe-net.yaml"
    mine.parent.mkdir()
    mine.touch()
    assert repaired(["--cfg", str(mine)]) == (["--cfg", str(mine)], [])
    words, notices = repaired(["--cfg", "/modles/idfe-net.yaml"])
    assert words == ["--cfg", "modles/idfe-net.yaml"] and notices[0].endswith("taking modles/idfe-net.yaml")
    (tmp_path / "my set").mkdir()
    assert repaired("--data my set --epochs 1")[0] == ["--data", "my set", "--epochs", "1"]
    (tmp_path / "my").mkdir()
    assert repaired("--data my set")[1] == []  # `my` is there: `set` is another word
    (tmp_path / "a best of.pt").touch()
    assert repaired("--weights a best of.pt")[0] == ["--weights", "a best of.pt"]
