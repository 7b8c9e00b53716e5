import json

import pytest

from utils.files.output_files import write_json
from utils.files.runs import COLUMNS, ResultsCsv, new_run, planned_run, provenance
from utils.words.errors import ConfigError, ResourceError


def test_names_count_up(tmp_path):
    project = str(tmp_path / "runs" / "train")
    assert planned_run(project, "exp", False).name == "exp" and not (tmp_path / "runs").exists()
    assert [new_run(project, "exp", False).name for _ in range(3)] == ["exp", "exp2", "exp3"]
    assert new_run(project, "exp", True).name == "exp"
    assert planned_run(project, "exp", False).name == "exp4" and planned_run(project, "exp", True).name == "exp"


@pytest.mark.parametrize("name", ["../x", "a/b", "", "..", "/tmp/x"])
def test_a_name_is_one_folder(tmp_path, name):
    with pytest.raises(ConfigError, match="one folder name"):
        new_run(str(tmp_path), name, False)
    with pytest.raises(ConfigError, match="one folder name"):
        planned_run(str(tmp_path), name, False)


def test_project_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError):
        new_run(str(tmp_path / "file"), "exp", False)


def test_results_csv_has_yolov5_columns_and_survives_a_resume(tmp_path):
    table = ResultsCsv(tmp_path / "results.csv")
    table.start(0)
    for epoch in range(3):
        table.append({"epoch": epoch, "train/box_loss": 0.1234567, "metrics/mAP_0.5": None})
    table.start(2)
    table.append({"epoch": 2, "train/box_loss": 1.0})
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert lines[0].startswith(
        "epoch,train/box_loss,train/obj_loss,train/cls_loss,metrics/precision,metrics/recall,metrics/mAP_0.5,"
        "metrics/mAP_0.5:0.95,val/box_loss,val/obj_loss,val/cls_loss,x/lr0,x/lr1,x/lr2"
    )
    assert lines[0].endswith("train/dfl_loss,val/dfl_loss,train/reconstruction_loss,train/energy_loss,val/energy_loss")
    assert [row["epoch"] for row in table.rows()] == ["0", "1", "2"]
    assert table.rows()[0]["train/box_loss"] == "0.123457" and table.rows()[0]["metrics/mAP_0.5"] == ""
    assert len(lines) == 4 and len(lines[1].split(",")) == len(COLUMNS)


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"ap": float("nan")})
    assert not (tmp_path / "x.json").exists()


def test_provenance_is_json_and_holds_no_home(tmp_path):
    text = json.dumps(provenance(["--data", "x.yaml"]))
    assert "x.yaml" in text and str(tmp_path.home()) not in text
