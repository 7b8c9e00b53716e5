import pytest

from utils.flags.detect_flags import parse_detect
from utils.flags.train_flags import parse_train
from utils.flags.val_flags import parse_val
from utils.words.errors import ConfigError


def settings(*words):
    return {s.key: s.value for s in parse_train(words).settings}


def test_yolov5_words():
    given = settings("--img", "640", "--batch", "8", "--cfg", "x.yaml", "--weights", "", "--device", "0", "--cos-lr")
    assert given == {
        "data.imgsz": 640,
        "data.batch_size": 8,
        "model.cfg": "x.yaml",
        "model.weights": "",
        "run.device": "0",
        "schedule.cosine": True,
    }


def test_only_what_was_typed_becomes_a_setting():
    assert settings() == {}
    assert settings("--no-amp") == {"run.amp": False}
    assert parse_train(["--resume"]).resume == "" and parse_train(["--resume", "a.pt"]).resume == "a.pt"


@pytest.mark.parametrize(
    ("words", "key", "value"),
    [
        ("--cache", "data.cache", "ram"),
        ("--cache ram --rect", "data.cache", "ram"),
        ("--cache disk", "data.cache", "disk"),
        ("--rect", "data.rect", True),
        ("--multi-scale", "data.multi_scale", True),
        ("--image-weights", "data.balance", "repeat"),
        ("--balance repeat", "data.balance", "repeat"),
        ("--balance none", "data.balance", "none"),
    ],
)
def test_training_data_options(words, key, value):
    assert settings(*words.split())[key] == value
    origins = {s.key: s.origin for s in parse_train(words.split()).settings}
    assert origins[key].startswith("--") and origins[key] == words.split()[0].replace("image-weights", "balance")


@pytest.mark.parametrize(
    ("parse", "words", "hint"),
    [
        (parse_train, ["--epoch", "3"], "did you mean --epochs?"),
        (parse_train, ["--epochs", "three"], "invalid int value"),
        (parse_train, ["--cache", "dsk"], "choose from"),
        (parse_val, ["--conf", "1.5"], "from 0 to 1"),
        (parse_val, ["--batch", "0"], "whole number from 1"),
        (parse_detect, ["--sorce", "x"], "did you mean --source?"),
        (parse_val, ["--task", "vall"], "invalid choice"),
    ],
)
def test_mistakes_are_one_line(parse, words, hint):
    with pytest.raises(ConfigError) as caught:
        parse(words)
    assert hint in str(caught.value) and "\n" not in str(caught.value)


def test_aliases():
    assert parse_val(["--conf", "0.1", "--iou", "0.5", "--img", "320"]).conf_thres == 0.1
    assert parse_detect(["--conf", "0.1"]).conf_thres == 0.1
