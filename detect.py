"""Find defects in pictures and videos: overlays, txt, csv, json, crops, and one row per input in summary.csv. `python
detect.py --help`.

From Python: `from detect import Detector; Detector("best.pt")("picture.png", conf=0.25)`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from data.augment.polarization import Optics
from data.augment.transforms import PAD, eval_shape, letterbox
from data.drawn.glass_set import write_glass
from data.index.union import open_data
from data.pictures.images import MAX_PIXELS
from data.pictures.plane_reader import PlaneReader
from data.pictures.sources import Source, find_sources, words
from data.pictures.video import read_frames
from models.ready.load import for_inference, load_masker, load_model, look_for
from models.ready.postprocess import NMSConfig, detections, undo_letterbox
from utils.config.cli import parse_detect
from utils.config.config import DataConfig, RunConfig
from utils.config.flags import DetectFlags
from utils.config.settings import build_config, settings_of_assignments
from utils.console.log import LOG, log_to
from utils.console.progress import progress
from utils.console.script import end, run_script
from utils.detecting.detection_files import FoundFiles
from utils.detecting.detection_tables import FoundTables
from utils.files.runs import new_run, provenance, write_json
from utils.files.weights import find_weights, weights_about
from utils.inspection.limits import Limits, read_limits
from utils.inspection.threshold_file import DetectionSettings
from utils.processes.device import half_notices, half_precision, select_device
from utils.processes.dist import ALONE, World, find_place, joined
from utils.processes.launch import device_of
from utils.processes.threads import prefetch
from utils.report.detection import DetectionReport
from utils.values.batch import Batch, Targets
from utils.values.channels import Channels, serve
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.words.class_names import class_map
from utils.words.errors import ConfigError, printable
from utils.words.text import counted
from utils.words.vocabulary import Vocabulary


class Detector:
    """A checkpoint that answers for single pictures, with the preprocessing and NMS of val.py."""

    def __init__(
        self,
        weights: str | Path,
        device: str = "",
        imgsz: int | None = None,
        half: bool = False,
        *,
        prompts: str | None = None,
        text_encoder: str = "",
        sam: str = "",
        static: bool = False,
        masks: bool = False,
    ) -> None:
        """`prompts`: what to look for ("scratch, oil stain") if the network reads text; see load_model, look_for.

        `masks`: detections carry masks, by the network's Mobile-SAM or the one `sam` names; see load_masker.
        """
        loaded = load_model(weights, select_device(device), sam, masks)
        if prompts is not None:
            loaded = look_for(loaded, Vocabulary.from_prompts(prompts), text_encoder)
        self.masker = load_masker(loaded, sam) if masks else None
        self.model = for_inference(loaded.model, static)
        self.names, self.path, self.about = loaded.names, loaded.path, loaded.about()
        if self.masker is not None:
            self.about["masks"] = self.masker.mode
        self.imgsz, self.half = imgsz or loaded.config.data.imgsz, half
        self.device = next(self.model.parameters()).device
        self.channels, self.optics = loaded.channels, Optics(loaded.channels)
        self.order = torch.arange(len(self.names))  # the number that is reported for each class of the model

    def use_names(self, names: Sequence[str]) -> bool:
        """Report classes by these names and their numbers; says whether the numbers differ from the checkpoint's.

        Raises CheckpointError when they are not the checkpoint's names in some order.
        """
        self.order = torch.tensor(class_map(self.names, names, str(self.path)))
        self.names = tuple(names)
        return self.order.tolist() != list(range(len(names)))

    def use_channels(self, offered: Channels, source: str) -> None:
        """Read pictures as `offered` by the data set `source` says that they are stored. Raises CheckpointError naming
        a plane that is missing or out of order.
        """
        self.channels = serve(offered, self.channels, str(self.path), source)
        self.optics = Optics(self.channels)

    def read(self, path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """A picture with the planes the checkpoint was trained on: (H, W, C). Raises DataError."""
        return PlaneReader(self.channels, max_pixels)(Path(path))

    def __call__(
        self, picture: str | Path | np.ndarray, conf: float = 0.25, iou: float = 0.45, max_det: int = 1000
    ) -> Detections:
        """Detections in pixels of the picture: a path, or (H, W, C) as `read` gives it. Raises DataError."""
        image = picture if isinstance(picture, np.ndarray) else self.read(picture)
        return self.detect([image], NMSConfig(conf=conf, iou=iou, max_det=max_det))[0]

    def shape(self, image: np.ndarray) -> tuple[int, int]:
        """(height, width) of the network input for this picture."""
        return eval_shape((image.shape[0], image.shape[1]), self.imgsz, self.model.stride)

    @torch.inference_mode()
    def detect(self, images: Sequence[np.ndarray], nms: NMSConfig) -> list[Detections]:
        """Detections of pictures that share one network shape."""
        padding = self.optics.padding(images[0].dtype, PAD)
        boxed, fits = zip(*(letterbox(image, self.shape(image), padding) for image in images), strict=True)
        planes = np.stack([self.optics.finish(image) for image in boxed])
        none, full = torch.zeros(0, dtype=torch.long), self.optics.full(planes.dtype)
        tensor, indices = torch.from_numpy(planes).permute(0, 3, 1, 2), tuple(range(len(images)))
        batch = Batch(tensor, Targets(none, none, torch.zeros(0, 4)), indices, fits, full=full)
        with half_precision(self.device, self.half):
            predictions = self.model(batch.to(self.device).inputs())
        found = undo_letterbox(detections(predictions, nms), fits)
        named = [replace(one, labels=self.order[one.labels], names=self.names) for one in found]
        if self.masker is None:
            return named
        shown = [self.optics.show(image) for image in images]
        return [replace(one, masks=self.masker(image, one.boxes)) for one, image in zip(named, shown, strict=True)]


@dataclass(frozen=True, eq=False)
class Looked:
    """One input after detection; `found` None when it could not be read."""

    frame: Frame
    found: Detections | None
    milliseconds: float


def look(detector: Detector, frames: Iterable[Frame], nms: NMSConfig, batch_size: int) -> Iterator[Looked]:
    """Every input in order, in batches of neighbours of one shape; the next ones are read meanwhile."""
    pending: list[Frame] = []
    shape = (0, 0)
    for frame in prefetch(frames, max(2, batch_size)):
        own = (0, 0) if frame.image is None else detector.shape(frame.image)
        if len(pending) == batch_size or own != shape:
            yield from _flush(detector, pending, nms)
            pending, shape = [], own
        if frame.image is None:
            yield Looked(frame, None, 0.0)
        else:
            pending.append(frame)
    yield from _flush(detector, pending, nms)


def _flush(detector: Detector, pending: list[Frame], nms: NMSConfig) -> Iterator[Looked]:
    if not pending:
        return
    started = time.perf_counter()
    found = detector.detect([frame.image for frame in pending if frame.image is not None], nms)
    each = (time.perf_counter() - started) * 1000 / len(pending)
    for frame, one in zip(pending, found, strict=True):
        assert frame.image is not None, "only what could be read is pending"
        yield Looked(replace(frame, image=detector.optics.show(frame.image)), one, each)


def wanted_classes(words: Sequence[str], names: Sequence[str]) -> tuple[int, ...] | None:
    """--classes: names (any case) or numbers. Raises ConfigError."""
    if not words:
        return None
    by_name = {name.casefold(): index for index, name in enumerate(names)}
    chosen = []
    for word in words:
        index = by_name.get(word.casefold(), int(word) if word.isdecimal() else -1)
        if not 0 <= index < len(names):
            raise ConfigError(f"--classes {word}: the checkpoint knows {', '.join(names)}")
        chosen.append(index)
    return tuple(chosen)


def _detector(flags: DetectFlags) -> Detector:
    settings = settings_of_assignments(list(flags.assignments))
    for setting in settings:
        if setting.key not in ("model.sam", "model.static"):
            raise ConfigError(f"{setting.origin}: detect.py takes model.sam and model.static")
    model = build_config(settings)[0].model
    return Detector(
        find_weights(flags.weights),
        flags.device,
        flags.imgsz,
        flags.half,
        prompts=flags.prompts,
        text_encoder=flags.text_encoder,
        sam=model.sam,
        static=model.static,
        masks=flags.masks,
    )


def _nms(flags: DetectFlags, detector: Detector, limits: Limits | None) -> NMSConfig:
    """The flags', else those the thresholds were chosen with, else detect.py's own."""
    wanted = wanted_classes(flags.classes, detector.names)
    made = limits.made if limits else DetectionSettings()
    iou = next(v for v in (flags.iou_thres, made.iou, 0.45) if v is not None)
    conf = next(v for v in (flags.conf_thres, limits.lowest if limits else None, 0.25) if v is not None)
    return NMSConfig(
        conf=conf,
        iou=iou,
        max_det=flags.max_det or made.max_det or 1000,
        agnostic=flags.agnostic_nms,
        classes=None if wanted is None else tuple(detector.order.tolist().index(label) for label in wanted),
    )


def _notices(flags: DetectFlags, detector: Detector, run: Path) -> list[str]:
    """What was asked for and is done otherwise."""
    lines = half_notices(detector.device, flags.half)
    if flags.save_conf and not flags.save_txt:
        lines.append("--save-conf: adds confidences to the files of --save-txt, which is not given")
    if detector.masker is not None and detector.masker.mode != "pretrained":
        lines.append(f"--masks: Mobile-SAM's weights are {detector.masker.mode}; the masks mean nothing")
    if flags.masks and flags.nosave and not flags.save_json:
        lines.append("--masks: are in the pictures, which --nosave leaves out, and in the file of --save-json")
    if flags.view_img:
        where = "with --nosave no pictures are written" if flags.nosave else f"the pictures are in {run}"
        lines.append(f"--view-img: this OpenCV opens no windows; {where}")
    return lines


def detect_pictures(flags: DetectFlags, argv: Sequence[str] | None, world: World = ALONE) -> tuple[Path, int]:
    """Checkpoint, inputs, files. Returns the run folder and the exit code (3: some input was unreadable).

    Of several processes each looks at its part of the inputs and writes their pictures; the first one has the tables.
    """
    detector = _detector(flags)
    notices: list[str] = []
    if flags.data:
        data, said = open_data(DataConfig(data=flags.data), require=())
        notices += said
        if detector.use_names(data.names):
            notices.append("the data orders its classes differently from the checkpoint: numbered as in the data")
        detector.use_channels(data.channels, printable(flags.data))
    limits = read_limits(flags, detector.names)
    if limits is not None:
        notices += limits.notices(flags, detector.imgsz)
        detector.imgsz = flags.imgsz or limits.made.imgsz or detector.imgsz
    nms = _nms(flags, detector, limits)
    source = flags.source or str(write_glass(Path("runs/glass")).parent / "images" / "val")
    sources = find_sources(source, flags.recursive, detector.channels)
    if flags.exist_ok:
        _protect(sources, Path(flags.project, flags.name))
    run = world.tell(new_run(flags.project, flags.name, flags.exist_ok) if world.first else Path())
    if world.first:
        log_to(run / "detect.log")
        write_json(run / "run.json", {**provenance(argv), **weights_about(detector.path), **detector.about})
    LOG.info("weights %s, %s from %s", detector.path, words(sources), source)
    for line in (*notices, *_notices(flags, detector, run)):
        LOG.info(line)
    mine = world.part(sources)
    frames = read_frames(mine, flags.vid_stride, flags.max_pixels, flags.bad_data == "error", detector.channels)
    seen = look(detector, frames, nms, flags.batch_size)
    if limits is not None:
        seen = (replace(one, found=limits.passing(one.found)) if one.found is not None else one for one in seen)
    total = None if any(one.video for one in mine) else len(mine)
    return run, _write(flags, detector, run, world, progress(seen, "detecting", total))


def _write(flags: DetectFlags, detector: Detector, run: Path, world: World, seen: Iterable[Looked]) -> int:
    """Everything that is written about the inputs; the exit code."""
    report = DetectionReport(detector.names)
    with FoundFiles(run, detector.names, flags) as files:
        rows: Iterable[Looked] = _shown(seen, files, report)
        if world.size > 1:
            rows = chain(*world.gather(list(rows)))
        if world.first:
            with FoundTables(run, detector.names, flags) as tables:
                for one in rows:
                    tables.add(one.frame, one.found, one.milliseconds)
                    report.add(one.frame, one.found, one.milliseconds)
    report.join(world.gather(report.best))
    if not world.first:
        return 0
    _conclude(tables, run)
    report.write(run, html=not flags.nosave)
    return 3 if tables.unreadable else 10 if flags.fail_on_defect and tables.bad else 0


def _shown(seen: Iterable[Looked], files: FoundFiles, report: DetectionReport) -> Iterator[Looked]:
    """Each input after its own files are written, without its picture."""
    for one in seen:
        files.add(one.frame, one.found)
        report.show(one.frame, one.found)
        yield replace(one, frame=replace(one.frame, image=None))


def _protect(sources: Sequence[Source], run: Path) -> None:
    """In a folder that exists the results could overwrite pictures and videos of the same names. Raises ConfigError."""
    folders = {Path(os.path.realpath(folder)) for folder in {source.path.parent for source in sources}}
    here = Path(os.path.realpath(run))
    if any(here == folder or here in folder.parents for folder in folders):
        raise ConfigError(f"--project, --name: {printable(str(run))} holds inputs, which the results would overwrite")


def _conclude(tables: FoundTables, run: Path) -> None:
    total = ", ".join(f"{name} {n}" for name, n in tables.counts.most_common()) or "no defects"
    verdicts = f"{tables.looked - tables.bad:,} OK, {tables.bad:,} NG"
    LOG.info("%s: %s; %s; written to %s", counted(tables.looked, "picture"), verdicts, total, run)
    for reason in tables.reasons:
        LOG.warning("not looked at: %s", reason)
    if tables.incomplete:
        count = f"{tables.incomplete:,} of {counted(tables.looked, 'picture')}"
        LOG.warning("%s looked at with a part missing, marked in summary.csv; the first: %s", count, tables.lack)
    if tables.unreadable:
        LOG.warning("%s could not be read; marked in summary.csv", counted(tables.unreadable, "input"))


def main_story(argv: Sequence[str] | None) -> int:
    """See `detect_pictures`; started by torchrun, the processes divide the inputs."""
    flags, place = parse_detect(argv), find_place(None)
    flags = replace(flags, device=device_of(flags.device, place))
    with joined(place, select_device(flags.device), RunConfig().timeout) as world:
        return detect_pictures(flags, argv, world)[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    end(main())
