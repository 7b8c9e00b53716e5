from dataclasses import replace

import pytest

from utils.config.config import Config
from utils.config.idle_knobs import NetworkTraits
from utils.studies.planned_config import (
    DECIDED,
    ELSEWHERE,
    FILES,
    NetworkFacts,
    first_difference,
    planned_config,
    same_training,
    unasked_differences,
)

KEYS = {f"{section}.{name}" for section, values in Config().plain().items() for name in values}
PLANNED = planned_config(["--data", "neu-det.yaml", "--cfg", "idfe-net-n.yaml", "--img", "150", "--batch", "-1"])


def changed(cfg, **values):
    for key, value in values.items():
        section, name = key.split("__")
        cfg = replace(cfg, **{section: replace(getattr(cfg, section), **{name: value})})
    return cfg


def test_keys_are_those_of_the_configuration():
    assert {*DECIDED, *ELSEWHERE, *FILES} <= KEYS


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"data__imgsz": 160, "data__batch_size": 16},  # as train.py settles them
        {"data__root": "/disk", "data__workers": 0, "data__cache": "ram", "run__device": "0", "run__name": "seed0"},
        {"data__data": "/somewhere/else/neu-det.yaml", "model__cfg": "idfe-net-n"},
    ],
)
def test_the_same_training(values):
    assert first_difference(PLANNED, changed(PLANNED, **values)) == ()


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"data__imgsz": 192}, ("data.imgsz", 150, 192)),
        ({"data__imgsz": 128}, ("data.imgsz", 150, 128)),
        ({"data__data": "wood.yaml"}, ("data.data", "neu-det.yaml", "wood.yaml")),
        ({"data__data": "other/neu-det.yaml"}, ("data.data", "neu-det.yaml", "other/neu-det.yaml")),
        ({"model__cfg": "idfe-net.yaml"}, ("model.cfg", "idfe-net-n.yaml", "idfe-net.yaml")),
        ({"model__freeze": (3,)}, ("model.freeze", [], [3])),
        ({"run__seed": 1, "optim__lr0": 0.5}, ("optim.lr0", 0.002, 0.5)),
        ({"run__nosave": True}, ("run.nosave", False, True)),
        ({"data__tile": 320}, ("data.tile", 0, 320)),
    ],
)
def test_another_training(values, found):
    assert first_difference(PLANNED, changed(PLANNED, **values)) == found


def test_a_number_is_not_what_was_asked_to_be_chosen():
    chosen = changed(PLANNED, data__batch_size=16)
    assert first_difference(chosen, PLANNED) == ("data.batch_size", 16, -1)
    auto = changed(PLANNED, data__tile=-1)
    assert first_difference(auto, changed(PLANNED, data__tile=320)) == ()


def test_what_is_known_of_the_network_decides():
    free = NetworkFacts(NetworkTraits("f.yaml", 5, ("loss", "free_loss", "free_assign")), stride=64)
    other = changed(PLANNED, anchor_loss__obj=3.0)
    assert first_difference(PLANNED, other)[0] == "anchor_loss.obj"
    assert first_difference(PLANNED, other, free) == (), "a knob that its head does not read"
    assert first_difference(PLANNED, changed(PLANNED, free_loss__box=3.0), free)[0] == "free_loss.box"
    assert first_difference(PLANNED, changed(PLANNED, data__imgsz=192), free) == ()
    assert first_difference(PLANNED, changed(PLANNED, data__imgsz=160), free) == ("data.imgsz", 150, 160)


def test_two_plans_are_the_same_only_if_they_say_the_same():
    assert same_training(PLANNED, changed(PLANNED, run__device="0", model__cfg="idfe-net-n"))
    assert not same_training(PLANNED, changed(PLANNED, data__imgsz=160))
    assert not same_training(PLANNED, changed(PLANNED, data__batch_size=16))
    assert not same_training(PLANNED, changed(PLANNED, run__nproc=2))


def test_an_old_run_that_names_no_network_is_not_one_of_todays_default():
    default = planned_config(["--data", "neu-det.yaml"])
    assert first_difference(default, planned_config(["--data", "neu-det.yaml", "--cfg", default.model.cfg])) == ()
    assert first_difference(default, changed(default, model__cfg=""))[0] == "model.cfg"


def test_two_files_of_one_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.yaml").write_text("")
    planned = changed(PLANNED, data__data="a/data.yaml")
    assert first_difference(planned, changed(PLANNED, data__data=str(tmp_path / "a" / "data.yaml"))) == ()
    assert first_difference(planned, changed(PLANNED, data__data="b/data.yaml"))[0] == "data.data"


def test_differences_that_no_flag_asked_for():
    words = ["--data", "neu-det.yaml", "--cfg", "idfe-net-n.yaml"]
    other = ["--data", "neu-det.yaml", "--cfg", "my-net.yaml", "--set", "loss.iou=ciou"]
    found = unasked_differences(words, other)
    assert "optim.name AdamW, SGD" in found and "augment.scale 0.2, 0.5" in found
    assert not any(line.startswith(("loss.iou", "model.cfg")) for line in found)
    same = ["--hyp", "idfe-net.yaml"]
    assert unasked_differences([*words, *same], [*other, *same, "--seed", "1"]) == []
