"""A network as a file that a production line runs: `python -m models.export --weights best.pt --format onnx`.

A file is only written once it was compared with its network, on pictures of the data: the gate. It cannot be left out.
The command imports data and val.py, as scripts do: files are judged on pictures.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.augment.transforms import whole_cells
from data.batches.build import eval_loader, read_split
from data.batches.comparison import chosen_scenes, comparison_batches, comparison_sizes, odd_scenes
from data.batches.looking import Looking
from data.drawn.stand_ins import drawn_scenes
from data.sets.split_reading import RecordSet
from data.tiles.tile_size import check_tile
from models.exported.about import About
from models.exported.exported_network import ExportedNetwork
from models.exported.opened import open_exported
from models.exporting.bundle import free_folder, write_bundle
from models.exporting.candidate import Candidate, OnnxCandidate, opened, target
from models.exporting.culprit import first_departing, onnx_rows
from models.exporting.export_form import ExportForm
from models.exporting.gate import TOLERANCES, Compared, Gate, NotEqual
from models.exporting.int8 import Scores, put_back
from models.exporting.sensitivity import rank_parts
from models.exporting.writer import SUFFIXES, Writer
from models.graph.graph import Graph
from models.inference.inference import Inference
from models.inference.nms import NMSConfig
from models.layers.timm_backbone import TimmBackbone
from models.pretrained.shipped import is_shipped
from models.ready.detection_nms import nms_for
from models.ready.footprint import footprint
from models.ready.load import Loaded, checkpoint_network, for_inference, load_model
from utils.config.config import DataConfig
from utils.console.log import LOG
from utils.console.progress import progress
from utils.console.script import run_script
from utils.deciding.given_limits import tiles_as_made
from utils.deciding.threshold_file import Limits, read_limits
from utils.files.checkpoint import find_weights, weights_about
from utils.files.runs import provenance
from utils.flags.command_flags import BenchmarkFlags
from utils.flags.export_flags import ExportFlags, parse_export
from utils.flags.looking_flags import given_looking
from utils.flags.val_config import data_config
from utils.flags.val_flags import parse_val
from utils.values.channels import Channels
from utils.values.detections import Detections
from utils.values.unknown_defect import without_twice_found
from utils.values.verdict import verdict_of
from utils.words.class_names import match_classes
from utils.words.errors import ConfigError, DataError, printable
from utils.words.private_paths import without_folders
from utils.words.text import counted
from val import evaluate

CALIBRATING, FEWEST = 128, 8  # pictures that --int8 is calibrated on: at most, and at least
RANKING = 8  # pictures on which rows are ranked
JUDGED_AT_ONCE = 8


def main_story(argv: Sequence[str] | None) -> int:
    """Checkpoint, form, file, gate; then the file is put in its place."""
    flags = parse_export(argv)
    loaded = load_model(find_weights(flags.weights))
    loaded.graph("--weights")
    if flags.text_input and loaded.words is None:
        raise ConfigError(f"--text-input: {loaded.network} reads no text; leave it out")
    if is_shipped(loaded.path) and not flags.out:
        raise ConfigError(f"--out: {loaded.path.name} ships with this project; say where the exported file is to go")
    export = Export(flags, loaded, given_limits(flags, loaded), Pictures.of(flags, loaded))
    extra = "-int8" * flags.int8 + "-fp16" * flags.half
    place = target(flags.out, loaded.path, SUFFIXES[flags.format], extra)
    if flags.bundle:
        export.check_bundle()
    candidate, about = export.proved(argv)
    candidate.write(place, about)
    LOG.info("written: %s; use it as --weights of val.py and detect.py", printable(str(place)))
    if flags.bundle:
        export.bundle(place)
        LOG.info("bundle: %s; try it: python %s/infer.py --selftest", *[printable(flags.bundle)] * 2)
    return 0


@dataclass(frozen=True, eq=False)
class Pictures:
    """What a file is judged on: the validation split, or the built-in pictures where there is none (`truth` None).

    `scenes` are those that are compared, of planes `channels`.
    """

    truth: RecordSet | None
    data: DataConfig
    channels: Channels
    scenes: Sequence[Scene]

    @classmethod
    def of(cls, flags: ExportFlags, loaded: Loaded) -> Pictures:
        """The data named, else that of the training. Raises UserError for data that was named or is needed."""
        try:
            data = judging_data(flags, loaded)
            truth = judging_split(data, loaded, "val")
            return cls(truth, data, truth.channels, chosen_scenes(truth, flags.pictures, data.max_pixels))
        except (ConfigError, DataError) as error:
            if flags.data or flags.assignments or flags.int8:
                raise
            LOG.warning("built-in pictures are compared, as the training's are not there (%s); or name --data", error)
            size = whole_cells(flags.imgsz or loaded.config.data.imgsz, loaded.model.stride)
            return cls(None, DataConfig(imgsz=size), loaded.channels, drawn_scenes(loaded.channels, flags.pictures))


def judging_data(flags: ExportFlags | BenchmarkFlags, loaded: Loaded) -> DataConfig:
    """The data that files of a network are judged on: named by flags as for val.py, else that of its training; at its
    size, or the one given, in whole strides. Raises ConfigError.
    """
    size = whole_cells(flags.imgsz or loaded.config.data.imgsz, loaded.model.stride)
    given = ["--imgsz", str(size)] + (["--data", flags.data] if flags.data else [])
    given += [word for one in flags.assignments for word in ("--set", one)]
    return data_config(parse_val(given), loaded.config.data, str(loaded.path))


def judging_split(data: DataConfig, loaded: Loaded, name: str) -> RecordSet:
    """A split of the data in the planes of the network. Raises UserError."""
    return read_split(data, name).serving(loaded.channels, str(loaded.path), data.data)


@dataclass(frozen=True, eq=False)
class Export:
    """One export: what is wanted of which network, judged by which limits and pictures."""

    flags: ExportFlags
    loaded: Loaded
    limits: Limits | None
    pictures: Pictures

    @cached_property
    def form(self) -> ExportForm:
        """The network as files hold it."""
        return ExportForm(self.loaded.graph("--weights"), self.flags.text_input)

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """Of a static file."""
        size = self.pictures.data.imgsz
        return (self.flags.batch_size, size, size) if self.flags.static else None

    def proved(self, argv: Sequence[str] | None) -> tuple[Candidate, About]:
        """The file, and what it says of itself, once it has passed. Raises NotEqual."""
        about = self.about(argv)
        writer = Writer(self.form, self.flags.format, about)
        if self.flags.int8:
            return self.proved_in_8_bits(writer, about)
        candidate = writer()
        compared = self.compare(candidate, about)
        LOG.info("gate passed: %s", compared.words())
        return candidate, replace(about, gate=compared.plain())

    def about(self, argv: Sequence[str] | None) -> About:
        """What the file will say of itself, but for what was compared."""
        flags, loaded, size = self.flags, self.loaded, self.pictures.data.imgsz
        graph = loaded.graph("--weights")
        words = checkpoint_network(graph, loaded.names, loaded.words) if flags.text_input else None
        source = self.limits.thresholds.source if self.limits else ""
        handed_on: Callable[[Any], Any] = (lambda one: one) if loaded.config.run.full_paths else without_folders
        return About(
            network=loaded.network,
            names=loaded.names,
            channels=loaded.channels,
            imgsz=size,
            stride=graph.stride,
            pixel_bytes=footprint(graph, size, 1, False, False) // size**2,
            shape=self.shape,
            nms=flags.nms,
            number="int8" if flags.int8 else "fp16" if flags.half else "fp32",
            config=handed_on(replace(loaded.config, data=replace(loaded.config.data, imgsz=size)).plain()),
            epoch=loaded.epoch,
            weights=loaded.weights,
            origin=handed_on({**weights_about(loaded.path), **loaded.about(), **provenance(argv)}),
            thresholds=Path(source).read_text(encoding="utf-8") if source else "",
            gate={},
            words=words and {key: words[key] for key in ("vocabulary", "synonyms")},
        )

    def compare(self, candidate: Candidate, about: About) -> Compared:
        """What the file finds with what the network finds, see Gate. Raises NotEqual, with the row to blame."""
        pictures, stored = self.pictures, self.loaded.config.val
        nms = NMSConfig(conf=stored.conf, iou=stored.iou, max_det=stored.max_det)
        sizes = [about.imgsz] if self.shape else comparison_sizes(about.imgsz, about.stride)
        scenes = [*pictures.scenes, *odd_scenes(pictures.channels)]
        square = self.shape is not None
        batches = list(comparison_batches(scenes, pictures.channels, sizes, about.stride, square))
        network = for_inference(self.loaded.graph("--weights"), static=True)
        with opened(candidate, about) as file:
            if self.flags.text_input and self.loaded.words is not None:
                file.look_for(self.loaded.words)
            gate = Gate(network, file.ready(), about.names, nms, TOLERANCES[about.number], self.limits)
            try:
                return gate(progress(batches, "comparing", len(batches)))
            except NotEqual as error:
                raise NotEqual(f"{error}{blame(self.form, candidate)}; nothing is written") from error

    def proved_in_8_bits(self, writer: Writer, about: About) -> tuple[Candidate, About]:
        """The file in 8 bits with as few parts in float as its scores allow. Raises NotEqual, DataError."""
        training = judging_split(self.pictures.data, self.loaded, "train")
        data = self.pictures.data
        scenes = chosen_scenes(training, CALIBRATING, data.max_pixels, Looking.of(data, about.stride, False))
        if len(scenes) < FEWEST:
            raise DataError(f"--int8: {len(scenes)} training pictures; to calibrate takes {FEWEST} at least")
        sizes, square = [about.imgsz], self.shape is not None
        batches = comparison_batches(scenes, training.channels, sizes, about.stride, square)
        inputs = [one for batch in batches for one in batch.inputs().contiguous().split(1)]
        writer = replace(writer, calibration=[one.numpy() for one in inputs])
        LOG.info("int8: calibrated on %s", counted(len(scenes), "training picture"))
        right = self.scores(for_inference(self.loaded.graph("--weights"), static=True))

        def score(candidate: Candidate) -> Scores:
            with opened(candidate, about) as file:
                return self.scores(file.ready())

        ranked = rank_parts(self.form, inputs[:RANKING])
        candidate, parts, found = put_back(writer, ranked, score, right, self.flags.tolerance)
        words = tuple(self.part_words(part) for part in parts)
        LOG.info("gate passed: in 8 bits but for %s", ", ".join(words) or "nothing")
        proof = {"float": right, "int8": found, "tolerance": self.flags.tolerance, "calibrated_on": len(scenes)}
        return candidate, replace(about, float_parts=words, gate=proof)

    def part_words(self, part: str) -> str:
        """A part as a user knows it, by its row in the YAML."""
        place, _, block = part.partition("/")
        index = self.form.graph.steps[int(place)].index
        row = next(row for row in self.form.graph.spec.rows if row.index == index)
        of_several = row.module == TimmBackbone.__name__
        return f"row {index} ({row.module}{', ' + (block or 'stem') if of_several else ''})"

    def scores(self, network: Graph | ExportedNetwork) -> Scores:
        """AP50 of all and of each class, and APs, on the validation split."""
        truth, data = self.pictures.truth, self.pictures.data
        assert truth is not None, "--int8 needs the data"
        labels = match_classes(self.loaded.names, truth.names, str(self.loaded.path), False, "").labels
        batch = self.flags.batch_size if self.shape else JUDGED_AT_ONCE
        loader = eval_loader(truth.records, data, network.stride, batch, False, truth.channels)
        evaluation = evaluate((network,), loader, truth, self.loaded.config.val, labels)
        assert evaluation is not None, "one process"
        report = evaluation.report
        return {name: report.coco[name] for name in ("AP50", "APs")} | {row.name: row.ap50 for row in report.classes}

    def check_bundle(self) -> None:
        """Raise ConfigError where infer.py could not run what is to be exported."""
        if self.limits is None:
            raise ConfigError("--bundle: needs --thresholds; val.py writes a thresholds.yaml")
        if not self.loaded.channels.plain_rgb:
            planes = ", ".join(self.loaded.channels.names)
            raise ConfigError(f"--bundle: infer.py reads 8-bit RGB alone, the network {planes}; run detect.py there")
        self.looking(self.limits)
        free_folder(Path(self.flags.bundle))

    def looking(self, limits: Limits) -> Looking:
        """How detect.py, without further flags, looks at pictures with the exported file and the thresholds `limits`.
        Raises ConfigError where their tiles do not suit the network.
        """
        trained, stride = replace(self.loaded.config.data, imgsz=self.pictures.data.imgsz), self.loaded.model.stride
        plain = given_looking(None, None, None, False, "wbf", ())
        data = tiles_as_made(plain, limits.made).tiled(trained, limits.made.imgsz)
        check_tile(data.tile, stride)
        return Looking.of(data, stride, False)

    def bundle(self, place: Path) -> None:
        """Write the folder for a line around the exported file. Raises ConfigError, ResourceError."""
        assert self.limits is not None, "checked before"
        shown = [(f"picture{k}.png", scene.planes, found) for k, (scene, found) in enumerate(self.telling(place))]
        pictures = [(name, planes) for name, planes, _ in shown]
        found = [(one, verdict_of(len(one))) for _, _, one in shown]
        text = Path(self.limits.thresholds.source).read_text(encoding="utf-8")
        write_bundle(Path(self.flags.bundle), place.read_bytes(), text, pictures, found)

    def telling(self, place: Path) -> list[tuple[Scene, Detections]]:
        """Up to three pictures with what the exported file finds in them, of both verdicts if there are, those first
        whose scores are furthest from the thresholds.
        """
        assert self.limits is not None, "checked before"
        limits, network = self.limits, open_exported(place).ready()
        names, looking, optics = self.loaded.names, self.looking(limits), Optics(self.pictures.channels)
        inference = Inference((network,), nms_for(limits, None, None, None), torch.arange(len(names)), names)
        found: list[tuple[float, Scene, Detections]] = []
        for scene in self.pictures.scenes:
            (seen,) = inference(looking.batches([scene], optics, 1)).values()
            values = torch.tensor(limits.thresholds.values)[seen.labels]
            margin = float((seen.scores - values).abs().min()) if len(seen) else 1.0
            found.append((margin, scene, without_twice_found(limits.passing(seen))))
        found.sort(key=lambda one: -one[0])
        bad, good = ([one[1:] for one in found if bool(len(one[2])) is ng] for ng in (True, False))
        return [*bad[:2], *good[:1], *good[1:], *bad[2:]][:3]


def given_limits(flags: ExportFlags, loaded: Loaded) -> Limits | None:
    """By what OK and NG are told: the file named, else that of the training run; None where there is none."""
    own = loaded.path.parent.parent / "thresholds.yaml"
    path = flags.thresholds or (str(own) if own.is_file() else "")
    if not path:
        return None
    limits = read_limits(path, loaded.names)
    for line in limits.warnings(loaded.weights):
        LOG.warning(line)
    return limits


def blame(form: ExportForm, candidate: Candidate) -> str:
    """Which row of a file departs first, as the end of a sentence; "" where that cannot be told."""
    found = first_departing(form, onnx_rows(candidate.model)) if isinstance(candidate, OnnxCandidate) else ""
    return f"; {found}" if found else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
