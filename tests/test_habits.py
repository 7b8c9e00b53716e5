"""One test per habit: what .github/CONTRIBUTING.md says a new layer, loss, format, metric, encoder or figure touches is
all that it touches. Each is added for real, to a copy of the code, and works there.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+)\n\n((?:.+\n)+)", PAGE, re.MULTILINE))
COPIED = ("models", "data", "utils", "cfg", "train.py", "val.py", "detect.py")
SCENE = """
import numpy as np, torch
from dataclasses import replace
from pathlib import Path
from utils.inspection.inspection_config import InspectionConfig
from utils.inspection.inspection import inspect
from utils.scoring import coco
from utils.scoring.evaluation import Evaluation
from utils.values.detections import Detections
from utils.values.record import Record
boxes = np.array([[0.1, 0.1, 0.3, 0.3]], np.float32)
bad = Record(Path("a.png"), 1, (100, 100), boxes, np.array([0]), np.array([False]))
good = Record(Path("b.png"), 2, (100, 100), boxes[:0], np.array([], int), np.array([], bool))
found = Detections(torch.tensor([[10.0, 10.0, 30.0, 30.0]]), torch.tensor([0.9]), torch.tensor([0]))
nothing = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
records = [bad, good, replace(good, image_id=3)]
results = coco.results_json(records, {0: found, 1: nothing, 2: nothing}, (1,))
inspection = inspect(Evaluation(records, ("scratch",), (1,), results), InspectionConfig())
"""


def files_of(section, name):
    """The files that the page lists for adding such a thing, `name` in the place of NAME."""
    files = re.findall(r"^\* `([^`]+)`", SECTIONS[section], re.MULTILINE)
    return {path.replace("NAME", name) for path in files}


class Copy:
    """The code in a folder of its own, to be changed and run."""

    def __init__(self, home):
        self.code, self.elsewhere = home / "code", home / "elsewhere"
        self.elsewhere.mkdir()
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.code / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, self.code / name)
        self.before = self.digests()

    def digests(self):
        return {
            path.relative_to(self.code).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.code.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    def changed(self):
        now = self.digests()
        return {path for path in now | self.before if now.get(path) != self.before.get(path)}

    def write(self, path, text):
        assert not (self.code / path).exists(), f"{path} is there already"
        (self.code / path).write_text(text, encoding="utf-8")

    def edit(self, path, pattern, replacement):
        """Replace the only place that `pattern` matches."""
        text, count = re.subn(pattern, replacement, (self.code / path).read_text("utf-8"), flags=re.MULTILINE)
        assert count == 1, f"{path}: {count} places look like {pattern}; adapt this test to the code"
        (self.code / path).write_text(text, encoding="utf-8")

    def run(self, script):
        """Run a script from another folder; what it prints."""
        environment = {**os.environ, "PYTHONPATH": str(self.code), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=self.elsewhere, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_the_page_has_a_list_for_each_habit():
    assert set(SECTIONS) == {
        "A layer",
        "A network",
        "A box loss",
        "A data format",
        "A metric",
        "A text encoder",
        "A way to ask",
        "An evaluation figure",
    }
    for section in SECTIONS:
        for path in files_of(section, "NAME"):
            assert "NAME" in path or (ROOT / path).is_file(), path


BLUR = '''"""Blur: the mean of a neighbourhood."""

import torch
from torch import Tensor, nn

from models.rows.registry import In, register


@register
class Blur(nn.Module):
    """Depthwise mean over kernel x kernel. (B, C, H, W) -> same."""

    def __init__(self, c_in: In, kernel: int = 3) -> None:
        super().__init__()
        self.mean = nn.Conv2d(c_in, c_in, kernel, padding=kernel // 2, groups=c_in, bias=False)
        nn.init.constant_(self.mean.weight, 1 / kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.mean(x)
'''


def test_a_layer(copy):
    copy.write("models/layers/blur.py", BLUR)
    copy.edit("models/layers/__init__.py", r"^(from models\.layers import attention)", r"\1, blur")
    copy.edit("models/layers/__init__.py", r'^(__all__ = \["attention")', r'\1, "blur"')
    assert copy.changed() == files_of("A layer", "blur")
    (copy.elsewhere / "x.yaml").write_text(
        "nc: 5\ndepth_multiple: 1.0\nwidth_multiple: 0.25\n"
        "backbone:\n  - [image, 1, Conv, [64, 3, 2]]\n  - [-1, 1, Conv, [128, 3, 2]]\n  - [-1, 1, Blur, [5]]\n"
        "  - [-1, 1, Conv, [256, 3, 2], p3]\n  - [-1, 1, Conv, [512, 3, 2], p4]\n"
        "head:\n  - [[p3, p4], 1, FreeDetect, [$nc]]\n"
    )
    shown = copy.run(
        "import val; assert val.main(['--cfg', 'x.yaml', '--summary']) == 0\n"
        "import torch\nfrom models.layers.blur import Blur\nx = torch.zeros(1, 2, 5, 5); x[..., 2, 2] = 9\n"
        "print('mean', Blur(2)(x)[0, 0, 2, 2].item())"
    )
    (row,) = (line for line in shown.splitlines() if "Blur" in line)
    assert "800" in row  # 32 channels of 5 x 5
    assert shown.splitlines()[-1].split()[0] == "mean"
    assert float(shown.split()[-1]) == pytest.approx(1)


def test_a_network(copy):
    text = (ROOT / "cfg" / "models" / "idfe-net-n.yaml").read_text("utf-8")
    narrower = re.sub(r"width_multiple: \S+", "width_multiple: 0.125", text)
    assert narrower != text
    copy.write("cfg/models/mine.yaml", narrower)
    assert copy.changed() == files_of("A network", "mine")
    assert "AnchorDetect" in copy.run("import val; assert val.main(['--cfg', 'mine', '--summary']) == 0")


def test_a_box_loss(copy):
    row = (
        'def corner(prediction: Tensor, target: Tensor) -> Tensor:\n    """1 less the mean error of the edges."""\n'
        "    return 1 - (prediction - target).abs().mean(-1)\n\n\n"
    )
    copy.edit("models/losses/iou.py", r"^(IOUS: .*= \{)$", row + r'\1\n    "corner": Overlap(corner),')
    copy.edit("utils/config/config.py", r"^(IouName = Literal\[)", r'\1"corner", ')
    assert copy.changed() == files_of("A box loss", "corner")
    # Whatever knobs take an overlap's name take this one, and hand its value to the loss.
    printed = copy.run(
        "import dataclasses, typing, torch\nfrom models.losses.iou import IOUS\n"
        "from utils.config.config import Config, IouName\n"
        "from utils.config.settings import build_config, settings_of_assignments\n"
        "sections = typing.get_type_hints(Config)\n"
        "knobs = [(s, k) for s, c in sections.items() if dataclasses.is_dataclass(c)\n"
        "         for k, t in typing.get_type_hints(c).items() if t == IouName]\n"
        "cfg, _ = build_config(settings_of_assignments([f'{s}.{k}=corner' for s, k in knobs]))\n"
        "chosen = {getattr(getattr(cfg, s), k) for s, k in knobs}\n"
        "box = torch.tensor([[0.0, 0.0, 1.0, 1.0]], requires_grad=True)\n"
        "(1 - IOUS[chosen.pop()](box, box.detach() + 0.5)).sum().backward()\n"
        "print(*chosen, box.grad.tolist())"
    )
    assert printed.strip() == "[[-0.25, -0.25, -0.25, -0.25]]"


DOTS = '''"""Dots: a line `name x y` per defect, px of the picture; the box is 4 px around it."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np


def read_dots(
    path: Path, size: tuple[int, int], labels: Mapping[str, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes (N, 4) xyxy fractions, labels (N,), crowd (N,)."""
    rows = [line.split() for line in path.read_text("utf-8").splitlines()]
    centres = np.array([[float(x), float(y)] for _, x, y in rows], np.float32).reshape(-1, 2)
    boxes = np.concatenate((centres - 2, centres + 2), 1) / np.array([*size[::-1]] * 2, np.float32)
    return boxes, np.array([labels[name] for name, _, _ in rows], np.int64), np.zeros(len(rows), bool)
'''


def test_a_data_format(copy):
    finder, reader = "data/sets/label_finder.py", "data/sets/record_reader.py"
    copy.write("data/labels/dots.py", DOTS)
    find = '    def dots_of(self, path: Path) -> Path:\n        """The dots of a picture."""\n'
    find += '        return path.with_suffix(".dots")\n\n'
    copy.edit(finder, r"^(    def files_of\()", find + r"\1")
    copy.edit(finder, r"^(        yield from self\.labels\.files_of.*)$", r"        yield self.dots_of(path)\n\1")
    copy.edit(reader, r"^(from data\.labels\.voc_labels import)", r"from data.labels.dots import read_dots\n\1")
    use = "        dots = self.finder.dots_of(path)\n        if dots.exists():\n"
    use += "            truth = read_dots(dots, size, self.finder.label_of_name)\n"
    use += "            record = self._labelled(path, size, truth)\n"
    use += "            return PictureReading(path, record, label=dots, rows=len(truth[1]))\n"
    copy.edit(reader, r"^(        label = self\.finder\.labels\.find\(path\))$", use + r"\1")
    assert copy.changed() == files_of("A data format", "dots")
    printed = copy.run(
        "import cv2, numpy as np, pathlib\nfrom data.sets.data_yaml import read_description\n"
        "from data.sets.split_reading import ReadPolicy, read_records\n"
        "home = pathlib.Path('set'); (home / 'images').mkdir(parents=True)\n"
        "cv2.imwrite(str(home / 'images' / 'a.png'), np.zeros((40, 80, 3), np.uint8))\n"
        "(home / 'images' / 'a.dots').write_text('scratch 40 20\\n')\n"
        "(home / 'd.yaml').write_text('path: .\\ntrain: images\\nval: images\\nnames: [dent, scratch]\\n')\n"
        "policy = ReadPolicy(bad_data='error', drop_duplicates=False)\n"
        "(record,) = read_records(read_description(home / 'd.yaml')[0], 'val', policy).records\n"
        "print(record.labels.tolist(), record.pixel_boxes().round(3).tolist())"
    )
    assert printed.strip().splitlines()[-1] == "[1] [[38.0, 18.0, 42.0, 22.0]]"


def test_a_metric(copy):
    summary = "utils/inspection/inspection.py"
    copy.write(
        "utils/inspection/prevalence.py",
        '"""How common bad pictures are."""\n\nfrom utils.scoring.matching import Matching\n\n\n'
        'def prevalence(matching: Matching) -> float:\n    """Share of pictures that show a defect, 0..1."""\n'
        "    return float(matching.pairs.bad.mean())\n",
    )
    copy.edit(
        summary, r"^(from utils\.inspection\.sizes .*)$", r"from utils.inspection.prevalence import prevalence\n\1"
    )
    copy.edit(summary, r"^(    errors: dict\[str, int\])$", r"    prevalence: float\n\1")
    copy.edit(summary, r"^(        errors=errors\.counts\(\),)$", r"        prevalence=prevalence(matching),\n\1")
    copy.edit(summary, r'^(            "errors": self\.errors,)$', r'            "prevalence": self.prevalence,\n\1')
    assert copy.changed() == files_of("A metric", "prevalence")
    section = "print(inspection.plain()['prevalence'])"  # what results.json and report.json hold
    assert float(copy.run(SCENE + section)) == pytest.approx(1 / 3)


LENGTH = '''"""A text as its length: two directions, short and long."""

from collections.abc import Sequence

import torch
from torch import Tensor


class LengthEncoder:
    """`length`."""

    name, dim = "length:1", 2

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, 2) float32 unit rows."""
        angle = torch.tensor([float(len(text)) for text in texts])
        return torch.stack((angle.cos(), angle.sin()), 1)
'''


def test_a_text_encoder(copy):
    find = "models/text/encoder_finder.py"
    copy.write("models/text/length.py", LENGTH)
    copy.edit(find, r"^(from models\.text\.ngram .*)$", r"from models.text.length import LengthEncoder\n\1")
    copy.edit(find, r'^(FORMS = ")', r"\1length, ")
    copy.edit(find, r'^(    if kind == "vectors":)$', r'    if kind == "length":\n        return LengthEncoder()\n\1')
    assert copy.changed() == files_of("A text encoder", "length")
    printed = copy.run(
        "from models.text.encoder_finder import find_encoder\nfrom models.text.encoder import flaw\n"
        "from utils.flags.train_flags import parse_train\n"
        "from utils.config.settings import build_config, settings_of_assignments\n"
        "flags = parse_train(['--data', 'x.yaml', '--text-encoder', 'length'])\n"
        "cfg, _ = build_config([*flags.settings, *settings_of_assignments(list(flags.assignments))])\n"
        "vectors = find_encoder(cfg.model.text_encoder).encode(['abc', 'a scratch'])\n"
        "print(flaw(vectors) or 'unit', round(vectors[0, 0].item(), 4))"
    )
    assert printed.split() == ["unit", "-0.99"]  # cos 3


def test_an_evaluation_figure(copy):
    plots = "utils/inspection/plots.py"
    figure = 'def plot_counts(inspection: Inspection, path: Path) -> Path:\n    """Good and bad pictures."""\n'
    figure += "    figure = new_figure(4, 3)\n    figure.subplots().bar([0, 1], [inspection.good, inspection.bad])\n"
    figure += "    return save_figure(figure, path)\n\n\n"
    copy.edit(plots, r"^(def plot_froc\()", figure + r"\1")
    copy.edit(plots, r"^(    plot_froc\(.*)$", r'\1\n    plot_counts(inspection, folder / "counts.png")')
    assert copy.changed() == files_of("An evaluation figure", "counts")
    copy.run(SCENE + "from utils.inspection.plots import plot_inspection\nplot_inspection(Path(), inspection)")
    assert (copy.elsewhere / "counts.png").read_bytes().startswith(b"\x89PNG")


def test_a_way_to_ask(copy):
    copy.edit("utils/english/measured.py", r'^( *)"how many \{a\} total \[\{f\}\]",$', r'\g<0>\n\1"tally [of] {a}",')
    assert copy.changed() == files_of("A way to ask", "")
    asked = "from utils.asking.parser import parse; print(parse('tally of cracks in the lower left'))"
    printed = copy.run(asked)
    assert "Kind.COUNT" in printed and "phrases=('cracks',)" in printed and "'lower left'" in printed
