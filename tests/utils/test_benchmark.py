from utils.benchmark import main, random_results, random_truth


def test_every_step_is_timed(tmp_path, capsys):
    out = ["--out", str(tmp_path / "page")]
    assert main(["--images", "40", "--classes", "3", "--detections", "800", "--compare", *out]) == 0
    said = capsys.readouterr().out
    assert "40 pictures, 3 classes, 800 detections" in said
    for step in ("COCO's 12 numbers", "inspection", "confusion matrix", "1,000 draws", "report.html", "in all"):
        assert step in said
    assert (tmp_path / "page" / "report.html").is_file()


def test_random_data_is_sound():
    records = random_truth(50, 4)
    rows = random_results(records, 4, 1000)
    assert sum(record.good for record in records) == 5 and len(rows) == 1000
    assert all(row["bbox"][2] > 0 and row["bbox"][3] > 0 and 0 <= row["score"] <= 1 for row in rows)
    assert random_results(records, 4, 1000) == rows


def test_mistakes(capsys):
    assert main(["--images", "0"]) == 2
    assert capsys.readouterr().err.startswith("error[CONFIG]")
