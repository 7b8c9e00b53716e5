import json
from collections import Counter

import numpy as np

from tests.utils.glass_cases import NAMES, evaluated, six_pictures
from utils.files.output_files import Results
from utils.inspection.inspection_config import InspectionConfig
from utils.report.evaluation import ReportOptions
from utils.report.run_results import write_results
from utils.scoring import coco, evaluation

GREY = np.full((100, 100, 3), 120, np.uint8)


def test_one_run_pairs_once_and_makes_truth_once(tmp_path, monkeypatch):
    calls = Counter()

    def counting(name, made):
        return lambda *arguments: calls.update([name]) or made(*arguments)

    monkeypatch.setattr(evaluation, "pair_up", counting("pair_up", evaluation.pair_up))
    monkeypatch.setattr(coco, "truth_json", counting("truth_json", coco.truth_json))
    options = ReportOptions("val", InspectionConfig(), lambda path: GREY)
    write_results(tmp_path, evaluated(*six_pictures(), NAMES), {"text_encoder": "ngram"}, options, Results())
    assert calls == {"pair_up": 1, "truth_json": 1}
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["text_encoder"] == "ngram" and results["inspection"]["pictures"]["bad"] == 4
    assert "# text_encoder: ngram" in (tmp_path / "thresholds.yaml").read_text()
    assert {path.name for path in tmp_path.iterdir()} >= {"report.html", "PR_curve.png", "FROC.png", "per_image.csv"}


def test_without_plots_there_are_numbers_only(tmp_path):
    options = ReportOptions("val", InspectionConfig(), lambda path: GREY, plots=False)
    write_results(tmp_path, evaluated(*six_pictures(), NAMES), {}, options, Results())
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".csv", ".yaml"}
