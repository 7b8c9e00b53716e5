import pytest
from PIL import Image

from utils.tracking.tensorboard_files import TensorboardFiles
from utils.tracking.tracker import Beginning

reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="requirements-log.txt")


def begun(folder, first):
    files = TensorboardFiles(folder)
    files.start(Beginning(folder, {"data": {"imgsz": 96}}, {"git": "abc|d"}, first))
    return files


def read(folder):
    found = reading.EventAccumulator(str(folder / "tensorboard"), {"scalars": 0, "images": 0, "tensors": 0})
    found.Reload()
    return found


def test_what_is_kept_is_read_back(tmp_path):
    Image.new("RGB", (7, 5)).save(tmp_path / "labels.jpg")
    Image.new("L", (3, 4)).save(tmp_path / "results.png")
    files = begun(tmp_path, 0)
    files.picture("labels", tmp_path / "labels.jpg")
    files.epoch(0, {"train/box_loss": 0.5, "metrics/mAP_0.5:0.95": 0.125})
    files.epoch(1, {"train/box_loss": 0.25})
    files.picture("results", tmp_path / "results.png")
    files.end("FINISHED", {"weights": "best.pt"})
    found = read(tmp_path)
    assert [(s.step, s.value) for s in found.Scalars("train/box_loss")] == [(0, 0.5), (1, 0.25)]
    assert [(s.step, s.value) for s in found.Scalars("metrics/mAP_0.5:0.95")] == [(0, 0.125)]
    for name, step, size in (("labels.jpg", 0, (7, 5)), ("results.png", 1, (3, 4))):
        (image,) = found.Images(f"pictures/{name[:-4]}")
        assert (image.step, image.width, image.height) == (step, *size)
        assert image.encoded_image_string == (tmp_path / name).read_bytes()
    texts = {tag: found.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in found.Tags()["tensors"]}
    assert texts["config"] == "```yaml\ndata:\n  imgsz: 96\n```"
    assert "| git | abc\\|d |" in texts["run"] and "| status | FINISHED |" in texts["end"]
    assert found.SummaryMetadata("config").plugin_data.plugin_name == "text"


def test_a_resumed_run_has_each_step_once(tmp_path):
    killed = begun(tmp_path, 0)  # its file is never closed, and ends in the middle of a record
    for number in range(3):
        killed.epoch(number, {"x/lr0": float(number)})
    killed.file.write(b"torn")
    killed.file.flush()
    resumed = begun(tmp_path, 2)
    resumed.epoch(2, {"x/lr0": 20.0})
    resumed.epoch(3, {"x/lr0": 3.0})
    resumed.end("FINISHED", {})
    found = read(tmp_path)
    assert [(s.step, s.value) for s in found.Scalars("x/lr0")] == [(0, 0.0), (1, 1.0), (2, 20.0), (3, 3.0)]
    assert len(found.Tensors("config")) == 1 and len(list((tmp_path / "tensorboard").iterdir())) == 2


def test_a_run_stopped_in_its_first_epoch_has_its_configuration_once(tmp_path):
    begun(tmp_path, 0).end("KILLED", {})
    begun(tmp_path, 0).end("FINISHED", {})
    assert len(read(tmp_path).Tensors("config")) == 1
