import json
import os

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


def kept_aside(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "results.csv")


@pytest.fixture
def table(tmp_path):
    """results.csv of three epochs."""
    table = ResultsCsv(tmp_path / "results.csv")
    table.start(0)
    for epoch in range(3):
        table.append({"epoch": epoch, "train/box_loss": 0.5})
    return table


def with_note(text):
    first, *rows = text.splitlines()
    return "\n".join([f"{first},note", *(f"{row},good" for row in rows)]) + "\n"


FOREIGN = {  # what a person or a program makes of results.csv -> epochs whose rows are still known
    "another column": (with_note, 3),
    "semicolons": (lambda text: text.replace(",", ";"), 0),
    "garbage": (lambda text: "\x00\x01 no table at all", 0),
    "no UTF-8": (lambda text: text.encode("utf-16"), 0),
    "a long field": (lambda text: text + "9" * 200_000 + "\n", 0),
    "a long epoch": (lambda text: text + "9" * 5000 + "," * (len(COLUMNS) - 1) + "\n", 3),
    "a remark": (lambda text: text + "my best run\n", 3),
    "words in a cell": (lambda text: text.replace("\n1,0.5,", "\n1,high,"), 2),
    "a row twice": (lambda text: text + text.splitlines()[2] + "\n", 3),
    "a short row": (lambda text: text + "1,0.5\n", 3),
    "a long row": (lambda text: text.replace("\n1,0.5,", "\n1,0.5,,,,,"), 2),
    "decimal commas": (lambda text: text.replace("0.5", "0,5"), 0),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_nothing_in_results_csv_is_lost_without_a_word(table, tmp_path, name, caplog):
    change, known = FOREIGN[name]
    text = change(table.path.read_text())
    before = text if isinstance(text, bytes) else text.encode()
    table.path.write_bytes(before)
    (tmp_path / "results.csv.old").write_text("an earlier one")
    table.start(3)
    assert kept_aside(tmp_path) == ["results.csv.old", "results.csv.old1"]
    assert (tmp_path / "results.csv.old").read_text() == "an earlier one"
    assert (tmp_path / "results.csv.old1").read_bytes() == before and "kept as results.csv.old1" in caplog.text
    assert len(table.rows()) == known and ("has no row of" in caplog.text) == (known < 3)
    table.append({"epoch": 3})
    epochs = [int(row["epoch"]) for row in table.rows()]
    assert epochs == sorted({*epochs}) and epochs[-1] == 3
    table.start(4)
    assert len(kept_aside(tmp_path)) == 2, "the new file is ours"


@pytest.mark.parametrize(
    "change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n"), lambda text: text + "\n\n"]
)
def test_results_csv_of_another_editor(table, tmp_path, change, caplog):
    table.path.write_text(change(table.path.read_text()), encoding="utf-8", newline="")
    table.start(3)
    assert len(table.rows()) == 3 and not kept_aside(tmp_path) and not caplog.text


def test_missing_rows_of_results_csv_are_said(table, tmp_path, caplog):
    table.path.unlink()
    table.start(3)
    assert "has no row of 3 epochs before this one" in caplog.text and not kept_aside(tmp_path)


def test_a_folder_or_a_pipe_called_results_csv(table, tmp_path, caplog):
    for number, make in enumerate((lambda path: path.mkdir(), os.mkfifo)):
        table.path.unlink()
        make(table.path)
        table.start(0)
        assert len(kept_aside(tmp_path)) == number + 1 and table.rows() == []
