from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from utils.drawing import score_plots as plots


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def only_file(path: Path) -> bool:
    """No temporary file is left beside it."""
    return [p.name for p in path.parent.iterdir() if p.suffix != ".csv"] == [path.name]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("classes, mark", [(0, "max"), (1, None), (20, "AP50 0.712"), (351, "max")])
def test_curves_of_any_number_of_classes(tmp_path, classes, mark):
    x = np.linspace(0, 1, 101)
    ys = np.tile(1 - x, (classes, 1))
    ys[1::3] = np.nan
    names = [f"类 {i}" for i in range(classes)]
    path = plots.plot_curves(x, ys, names, tmp_path / "PR_curve.png", ("recall", "precision"), mark)
    assert pixels(path).shape == (600, 900, 3) and only_file(path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("classes", [1, 20, 351])
def test_confusion_of_any_number_of_classes(tmp_path, classes):
    matrix = np.diag(np.arange(classes + 1) * 1000)
    path = plots.plot_confusion(matrix, ["气泡"] * classes, tmp_path / "confusion_matrix.png")
    assert pixels(path).max() > 0 and only_file(path)
