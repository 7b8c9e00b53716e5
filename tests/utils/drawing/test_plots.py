from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from utils.drawing import figure_style as figures
from utils.drawing import plots
from utils.drawing.box_drawing import Marks
from utils.drawing.colours import class_colour

HEADER = (
    "epoch,train/box_loss,train/obj_loss,train/cls_loss,metrics/precision,metrics/recall,metrics/mAP_0.5,"
    "metrics/mAP_0.5:0.95,val/box_loss,val/obj_loss,val/cls_loss,x/lr0,x/lr1,x/lr2"
)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def only_file(path: Path) -> bool:
    """No temporary file is left beside it."""
    return [p.name for p in path.parent.iterdir() if p.suffix != ".csv"] == [path.name]


def random_boxes(count: int, classes: int):
    rng = np.random.default_rng(0)
    centres, half = rng.uniform(0.1, 0.9, (count, 2)), rng.uniform(0.001, 0.1, (count, 2))
    boxes = np.concatenate((centres - half, centres + half), 1)
    return boxes, rng.integers(0, classes, count), np.tile([480, 640], (count, 1))


def titles_of(monkeypatch) -> list[str]:
    """The headings of the figures made from here on, which are not rendered: that takes most of the time."""
    titles: list[str] = []
    monkeypatch.setattr(plots, "save_figure", lambda figure, path, title="": titles.append(title) or path)
    return titles


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("classes", [1, 351])
def test_labels_of_any_number_of_classes(tmp_path, classes):
    names = [f"品类 {i} $x$ with a rather long class name" for i in range(classes)]
    path = plots.plot_labels(*random_boxes(300, classes), names, tmp_path / "labels.jpg", (250, 50))
    assert pixels(path).shape == (950, 1500, 3) and only_file(path)


def test_labels_state_the_totals(tmp_path, monkeypatch):
    titles = titles_of(monkeypatch)
    plots.plot_labels(*random_boxes(300, 2), ["a", "b", "c"], tmp_path / "labels.jpg", (250, 50))
    expected = "300 pictures (250 with defects, 50 without), 300 boxes, 3 classes, 1 of them without a box"
    assert titles == [expected]


@pytest.mark.filterwarnings("error")
def test_labels_without_a_box(tmp_path):
    names = [str(i) for i in range(30)]
    plots.plot_labels(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 2)), names, tmp_path / "labels.jpg")
    assert only_file(tmp_path / "labels.jpg")


def test_labels_with_a_degenerate_box(tmp_path):
    boxes, sizes = np.array([[0.5, 0.5, 0.5, 0.5]]), np.array([[100, 100]])
    path = plots.plot_labels(boxes, np.array([0]), sizes, ["a"], tmp_path / "labels.jpg")
    assert pixels(path).shape == (950, 1500, 3) and only_file(path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "rows, best",
    [
        ([], None),
        (["0,.1,.1,.1,.5,.5,.6,.4,.1,.1,.1,.01,.01,.01"], 0),
        (["0,.1,,.1,.5,.5,.6,.4,.1,,.1,.01,,", "1,.1,,.1,.5,.5,.9,.3,.1,,.1,.01,,", "2,.1"], 0),
        (["0,.1,.1,.1,,,,,,,,.01,.01,.01", "1,.1,.1,.1,.5,.5,.1,.1,.1,.1,.1,.01,.01,.01"], 1),
        (["3,.1,.1,.1,,,,,,,,.01,.01,.01"], None),
        (["0,.1,.1,.1,nan,nan,nan,nan,.1,.1,.1,.01,.01,.01", "1,.1,.1,.1,.5,.5,0,0,.1,.1,.1,0,0,0"], 1),
    ],
)
def test_results_mark_the_best_epoch(tmp_path, rows, best, monkeypatch):
    titles = titles_of(monkeypatch)
    table = tmp_path / "results.csv"
    table.write_text("\n".join([HEADER, *rows]) + "\n")
    plots.plot_results(table, tmp_path / "results.png")
    assert ("best" in titles[0]) == (best is not None)
    if best is not None:
        assert f"best epoch {best + 1}:" in titles[0]


@pytest.mark.filterwarnings("error")
def test_results_of_a_single_epoch_are_drawn(tmp_path):
    table = tmp_path / "results.csv"
    table.write_text(f"{HEADER}\n0,.1,,.1,.5,.5,.6,.4,.1,,.1,.01,.01,.01\n")
    path = plots.plot_results(table, tmp_path / "results.png")
    assert pixels(path).shape == (850, 1500, 3) and only_file(path)


def test_results_with_blanks_in_the_header_and_further_columns(tmp_path, monkeypatch):
    titles = titles_of(monkeypatch)
    table = tmp_path / "results.csv"
    table.write_text(HEADER.replace(",", ", ") + ", seconds, note\n0,,,,.5,.5,.6,.4,,,,,,,12.5,warm-up ended\n")
    plots.plot_results(table, tmp_path / "results.png")
    assert "best epoch 1: AP 0.400, AP50 0.600" in titles[0]


@pytest.mark.parametrize("count, height, width", [(1, 900, 900), (2, 600, 200), (5, 224, 597), (20, 32, 32)])
def test_batch_stays_within_a_sheet(tmp_path, count, height, width):
    images = np.full((count, height, width, 3), 90, np.uint8)
    marks = [Marks(np.array([[1.0, 2, 9, 9]]), np.array([0]), np.array([0.5]))] * count
    path = plots.plot_batch(images, marks, [f"{i}.jpg" for i in range(count)], ["气泡"], tmp_path / "batch.jpg")
    assert max(pixels(path).shape) <= 1930 and only_file(path)


def test_batch_boxes_follow_the_enlargement(tmp_path):
    images = np.zeros((1, 100, 100, 3), np.uint8)
    path = tmp_path / "batch.png"
    plots.plot_batch(images, [Marks(np.array([[20.0, 20, 80, 80]]), np.array([1]))], ["a"], ["x"], path)
    line = (pixels(path) == class_colour(1)).all(2)
    across = np.flatnonzero(line.sum(0) > 300)
    assert across[-1] - across[0] == pytest.approx(0.6 * 640, abs=8)


def test_batch_without_boxes(tmp_path):
    marks = [Marks(np.zeros((0, 4)), np.zeros(0, np.int64))] * 3
    images, path = np.full((3, 64, 64, 3), 90, np.uint8), tmp_path / "batch.png"
    plots.plot_batch(images, marks, ["a", "b", "c"], [], path)
    shown = (pixels(path) == 90).all(2)
    assert shown.sum() % 3 == 0 and shown.sum() >= 3 * 64 * 64, "the pictures are whole: nothing is drawn on them"


def test_a_failed_write_leaves_the_old_picture(tmp_path, caplog):
    path = tmp_path / "results.png"
    path.write_bytes(b"old")

    def fail(file, **_) -> None:
        file.write(b"half")
        raise OSError("disk full")

    figure = figures.new_figure(1, 1)
    figure.savefig = fail
    with caplog.at_level("WARNING", "defects"):
        figures.save_figure(figure, path)
    assert "results.png" in caplog.text and "disk full" in caplog.text
    assert path.read_bytes() == b"old" and only_file(path)
