"""Find defects in pictures and videos: overlays, txt, csv, json, crops, and one row per input in summary.csv. `python
detect.py --help`.

From Python: `from detect import Detector; Detector("best.pt")("picture.png", conf=0.25)`.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.augment.transforms import eval_shape
from data.batches.examples import read_examples
from data.batches.looking import Looking
from data.drawn.glass_set import write_glass
from data.index.union import open_data
from data.pictures.given_picture import Picture, planes_of
from data.pictures.picture_decoder import MAX_PIXELS
from data.pictures.plane_reader import PlaneReader
from data.pictures.sources import find_sources, keep_results_out, words
from data.pictures.video import read_frames
from data.tiles.tile_size import check_tile
from models.inference.gathering import Merge
from models.inference.inference import Inference
from models.inference.nms import NMSConfig
from models.pretrained.shipped import is_shipped
from models.ready.asking import asked_prompts, own_thresholds
from models.ready.ensemble import shared_stride
from models.ready.examples import look_at
from models.ready.finder import Finder, Wanted
from models.ready.footprint import check_fits
from models.ready.load import Loaded, half_words
from models.ready.prompted import check_reads_text
from models.ready.weights_choice import chosen_weights
from utils.answers.asked_texts import asked_texts
from utils.config.config import DataConfig, RunConfig
from utils.config.detect_flags import DetectFlags, assigned_config, parse_detect
from utils.config.given_values import as_path, as_switch, as_text
from utils.config.looking_flags import LookingFlags, given_looking
from utils.config.ranges import in_range
from utils.console.log import LOG, log_to
from utils.console.progress import progress
from utils.console.script import end, run_script
from utils.console.signals import Stop, Stopped, complete
from utils.detecting.frame_batches import frame_batches
from utils.detecting.output_options import DetectionOutput
from utils.detecting.run_folder import new_detection_folder
from utils.files.checkpoint import weights_about
from utils.files.runs import planned_run, provenance, write_about
from utils.inspection.given_limits import asked_settings, tiles_as_made
from utils.inspection.threshold_file import Limits
from utils.processes.device import half_precision, select_device
from utils.processes.distributed import ALONE, World, find_place, joined
from utils.processes.launch import device_of
from utils.processes.memory import keep_freed_memory
from utils.report.detection_run import write_run
from utils.values.answer import Answer
from utils.values.channels import serve
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.picture_result import PictureResult
from utils.values.unknown_defect import UNKNOWN, without_twice_found
from utils.values.verdict import Verdict
from utils.words.class_names import class_map, wanted_classes
from utils.words.errors import printable
from utils.words.text import counted


class Detector(Finder):
    """Finds defects in pictures with a checkpoint, with the same preprocessing and NMS as val.py."""

    at_once = 1  # views of a picture that go through the network together, where it has several

    def __init__(
        self,
        weights: str | Path | Sequence[str | Path],
        device: str = "",
        imgsz: int | None = None,
        half: bool = False,
        *,
        prompts: str | None = None,
        examples: str | Path = "",
        unknown: bool = False,
        text_encoder: str = "",
        glossary: str = "",
        sam: str = "",
        static: bool = False,
        masks: bool = False,
        bgr: bool = False,
        tile: int | None = None,
        tile_overlap: float | None = None,
        tile_full: bool | None = None,
        augment: bool = False,
        merge: Merge = "wbf",
    ) -> None:
        """`weights`: a checkpoint, or several that look together. `prompts`: what to look for ("scratch, oil stain") if
        the network reads text, `examples`: a small labelled set that shows it, beside words or in their place; see
        load_model, look_for_prompts. `unknown`: also defects that none of these fits, as a class "unknown defect".
        `glossary`: a file of yours that describes them, or none. `text_encoder`: for words that the checkpoint does not
        know, where it has moved.

        `masks`: detections get masks, from the network's Mobile-SAM or from the one `sam` names; see load_masker.
        `bgr`: arrays and tensors have their planes in OpenCV's order, see data/pictures/given_picture.py. `tile` and
        what follows: as the flags of detect.py. Raises UserError for whatever does not fit.
        """
        paths = [Path(as_path("weights", one)) for one in (weights if isinstance(weights, list | tuple) else [weights])]
        imgsz = None if imgsz is None else in_range(DataConfig, "imgsz", imgsz)
        examples = as_path("examples", examples) if examples else ""
        self.bgr = as_switch("bgr", bgr)
        wanted = Wanted(
            prompts=None if prompts is None else as_text("prompts", prompts),
            shown=partial(_shown, examples=examples, imgsz=imgsz),
            unknown=as_switch("unknown", unknown),
            text_encoder=as_text("text_encoder", text_encoder),
            glossary=as_text("glossary", glossary),
            sam=as_text("sam", sam),
            static=as_switch("static", static),
            masks=as_switch("masks", masks),
            half=as_switch("half", half),
        )
        super().__init__(paths, str(device), wanted)
        self.about |= {"examples": Path(examples).name} if examples else {}
        self.given = given_looking(tile, tile_overlap, tile_full, as_switch("augment", augment), merge, paths[1:])
        self.given_imgsz, self.optics = imgsz, Optics(self.channels)
        self._look(self.given, imgsz)

    def _look(self, given: LookingFlags, imgsz: int | None) -> None:
        """Look at pictures so from now on. Raises UserError."""
        data, stride = given.tiled(self.trained_data, imgsz), shared_stride(self.models)
        check_tile(data.tile, stride)
        self.imgsz, self.looking = data.imgsz, Looking.of(data, stride, given.augment)
        check_fits(self.model, self.imgsz, pictures=1, half=self.half)

    def use_data(self, source: str | Path) -> list[str]:
        """Report classes by the names and numbers of this data set, and read pictures in the layout that it describes.

        Returns notices for the user. Raises CheckpointError when its classes or planes do not fit the checkpoint.
        """
        source = as_path("source", source)
        data, notices = open_data(DataConfig(data=source), require=())
        names = data.names + ((UNKNOWN,) if UNKNOWN in self.names and UNKNOWN not in data.names else ())
        order = torch.tensor(class_map(self.names, names, str(self.path)))
        self.channels = serve(data.channels, self.channels, str(self.path), printable(source))
        self.order, self.names = order, names
        self.optics, self.mm_per_px = Optics(self.channels), data.members[0].mm_per_px
        same = self.order.equal(torch.arange(len(self.names)))
        other = "the data orders its classes differently from the checkpoint: numbered as in the data"
        return [*notices] if same else [*notices, other]

    def use_thresholds(self, path: str | Path, warn: Callable[[str], None] = LOG.warning) -> Limits:
        """See Finder; NMS, input size and tiles become those that the thresholds were chosen with, unless given
        otherwise.
        """
        made = super().use_thresholds(path, warn).made
        self._look(tiles_as_made(self.given, made), self.given_imgsz or made.imgsz)
        assert self.limits is not None, "they were read"
        return self.limits

    def ask(self, picture: Picture, question: str, conf: float = 0.25, severity: str | Path = "") -> Answer:
        """The answer to one question about a picture, see `use_questions`. Raises UserError."""
        before, image = self.asked, planes_of(picture, self.channels, self.bgr)
        try:
            asked = self.use_questions((as_text("question", question),), conf, severity)
            return asked.only(self.results([Frame("", Path(), image)], self.nms())[0].answers)
        finally:
            self.asked = before

    def read(self, path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """A picture with the planes the checkpoint was trained on: (H, W, C). Raises UserError."""
        return PlaneReader(self.channels, in_range(DataConfig, "max_pixels", max_pixels))(Path(as_path("path", path)))

    def __call__(self, picture: Picture, conf: float = 0.25, iou: float = 0.45, max_det: int = 1000) -> Detections:
        """Detections in pixels of the picture: a path, PIL image, array or tensor, see data/pictures/given_picture.py.

        Raises DataError for a picture that cannot be taken, ConfigError for a value out of its range.
        """
        nms = self.nms(conf, iou, max_det)
        return without_twice_found(self.detect([planes_of(picture, self.channels, self.bgr)], nms)[0])

    def verdict(self, picture: Picture, conf: float = 0.25) -> Verdict:
        """NG if something in the picture counts as a defect, else OK, as detect.py reports it. The thresholds in use
        decide, or `conf` if there are none. Raises DataError when the picture cannot be read.
        """
        nms = self.nms() if self.limits else self.nms(conf)
        image = planes_of(picture, self.channels, self.bgr)
        return self.results([Frame("", Path(), image)], nms)[0].verdict

    def shape(self, image: np.ndarray) -> tuple[int, int]:
        """(height, width) of the network input for this picture."""
        return eval_shape((image.shape[0], image.shape[1]), self.imgsz, self.model.stride)

    @torch.inference_mode()
    def detect(self, images: Sequence[np.ndarray], nms: NMSConfig) -> list[Detections]:
        """Detections of pictures that share one network shape."""
        scenes = [Scene.without_truth(image) for image in images]
        batches = self.looking.batches(scenes, self.optics, max(self.at_once, len(images)))
        with half_precision(self.model.device, self.half):
            found = Inference(self.models, nms, self.order, self.names, self.given.merge or "wbf")(batches)
        if self.masker is None:
            return [found[k] for k in range(len(images))]
        masks = [self.masker(self.optics.show(image), found[k].boxes) for k, image in enumerate(images)]
        return [replace(found[k], masks=rles) for k, rles in enumerate(masks)]

    def results(self, frames: Sequence[Frame], nms: NMSConfig) -> list[PictureResult]:
        """The results of inputs that share one network shape, or of a single one that could not be read."""
        images = [frame.image for frame in frames if frame.image is not None]
        if not images:
            return [self.unread(frame, nms) for frame in frames]
        started = time.perf_counter()
        found = self.detect(images, self.asked.gathering(nms))
        each = (time.perf_counter() - started) * 1000 / len(images)  # ms: a batch is timed as a whole
        results = []
        for frame, one, image in zip(frames, found, images, strict=True):
            size, shown = (image.shape[0], image.shape[1]), replace(frame, image=self.optics.show(image))
            judged = self.judged(shown, one, size, nms)
            results.append(replace(judged, milliseconds=each, tiles=self.looking.tiles(size)))
        return results


def _shown(loaded: Loaded, examples: str, imgsz: int | None) -> dict[str, torch.Tensor]:
    """What the labelled set `examples` shows, by class name; nothing where none is given."""
    if not examples:
        return {}
    check_reads_text(loaded)
    size, stride = imgsz or loaded.config.data.imgsz, loaded.model.stride
    few = read_examples(examples, loaded.channels, str(loaded.path), size, stride)
    return look_at(loaded.graph("--examples"), few.batches, few.names)


def look(
    detector: Detector, frames: Iterable[Frame], nms: NMSConfig, batch_size: int, stop: Stop
) -> Iterator[PictureResult]:
    """The result of every input, in order, until `stop` receives a signal."""
    detector.at_once = batch_size
    for batch in frame_batches(frames, detector.shape if detector.looking.single else None, batch_size, stop):
        yield from detector.results(batch, nms)


def detect_pictures(flags: DetectFlags, argv: Sequence[str] | None, world: World = ALONE) -> tuple[Path, int]:
    """Checkpoint, inputs, files. Returns the run folder and the exit code (3: unreadable input; 10: --fail-on-defect).

    With several processes each handles its share of the inputs and writes their pictures; rank 0 writes the tables.
    """
    texts = asked_texts(flags.ask, flags.ask_file)
    detector = _detector(flags, texts)
    if texts and not flags.thresholds and flags.conf_thres is None and not detector.prompted:
        flags = replace(flags, thresholds=own_thresholds(detector.path))
    notices = detector.use_data(flags.data) if flags.data else []
    warnings: list[str] = []  # kept back until there is a log
    if flags.thresholds:
        trained_at, given = detector.imgsz, asked_settings(flags, detector.model.stride)
        limits = detector.use_thresholds(flags.thresholds, warnings.append)
        notices += limits.notices(given, flags.agnostic_nms, trained_at)
    if flags.save_prompts:
        detector.save_prompts(flags.save_prompts)
        LOG.info("%s looks for %s", printable(flags.save_prompts), counted(len(detector.names), "class"))
    if texts:
        detector.use_questions(texts, 0.25 if flags.conf_thres is None else flags.conf_thres, flags.severity)
    nms = _nms(flags, detector)
    pattern = flags.source or str(write_glass(Path("runs/glass")).parent / "images" / "val")
    sources = find_sources(pattern, flags.recursive, detector.channels)
    keep_results_out(planned_run(flags.project, flags.name, flags.exist_ok), pattern, sources)
    video = any(source.video for source in sources)
    check_fits(detector.model, detector.imgsz, flags.batch_size if video else min(flags.batch_size, len(sources)))
    outputs = [source.output for source in sources]
    run = world.broadcast(new_detection_folder(flags, outputs) if world.first else Path())
    if world.first:
        log_to(run / "detect.log")
        origin = {**provenance(argv), **weights_about(detector.path), **detector.about}
        write_about(run, origin, assigned_config(flags).run.full_paths)
    LOG.info("weights %s, %s from %s", " + ".join([str(detector.path), *flags.ensemble]), words(sources), pattern)
    for line in warnings:
        LOG.warning(line)
    output = replace(DetectionOutput.of(flags), tiles=detector.looking.tiling is not None)
    notices += [*half_words(detector.model, flags.half), *detector.looking.words()]
    for line in (*notices, *output.notices(run, detector.masker.mode if detector.masker else "", flags.view_img)):
        LOG.info(line)
    share = world.part(sources)
    frames = read_frames(share, flags.vid_stride, flags.max_pixels, flags.bad_data == "error", detector.channels)
    total = None if any(source.video for source in share) else len(share)  # a video's frames are not counted ahead
    with Stop(impatient=world.size == 1) as stop:
        results = progress(look(detector, frames, nms, flags.batch_size, stop), "detecting", total)
        totals = write_run(run, results, detector.names[: detector.own], output, world, stop)
        if stop.received:
            raise Stopped(stop.received, f"{run} is complete")
    complete()
    return run, 3 if totals.unreadable else 10 if flags.fail_on_defect and totals.bad else 0


def _detector(flags: DetectFlags, texts: Sequence[str]) -> Detector:
    model, prompts = assigned_config(flags).model, flags.prompts
    words = prompts is not None or bool(flags.examples) or flags.unknown
    weights = chosen_weights(flags.weights, words, asked=bool(texts))
    if texts and not words and is_shipped(weights):
        prompts = asked_prompts(texts)  # of its own classes, which were drawn, nobody has asked
    return Detector(
        [weights, *flags.ensemble],
        flags.device,
        flags.imgsz,
        flags.half,
        prompts=prompts,
        examples=flags.examples,
        unknown=flags.unknown,
        text_encoder=flags.text_encoder,
        glossary=flags.glossary,
        sam=model.sam,
        static=model.static,
        masks=flags.masks,
        **flags.looking(),
    )


def _nms(flags: DetectFlags, detector: Detector) -> NMSConfig:
    wanted, order = wanted_classes(flags.classes, detector.names), detector.order.tolist()
    classes = None if wanted is None else tuple(order.index(label) for label in wanted)
    nms = detector.nms(flags.conf_thres, flags.iou_thres, flags.max_det)
    return replace(nms, agnostic=flags.agnostic_nms, classes=classes)


def main_story(argv: Sequence[str] | None) -> int:
    """See `detect_pictures`; under torchrun the processes share the inputs."""
    flags, place = parse_detect(argv), find_place(None)
    flags = replace(flags, device=device_of(flags.device, place))
    keep_freed_memory()
    with joined(place, select_device(flags.device), RunConfig().timeout) as world:
        return detect_pictures(flags, argv, world)[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    end(main())
