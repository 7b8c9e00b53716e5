"""Find defects in pictures and videos: overlays, txt, csv, json, crops, and one row per input in summary.csv. `python
detect.py --help`.

From Python: `from detect import Detector; Detector("best.pt")("picture.png", conf=0.25)`.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.augment.transforms import eval_shape
from data.batches.examples import read_examples
from data.batches.looking import Looking
from data.batches.views_around import views_around
from data.drawn.glass_set import write_glass
from data.index.union import open_data
from data.live.camera import Camera, is_camera
from data.live.incoming import check_watched, check_whole, incoming
from data.pictures.given_picture import Picture, planes_of
from data.pictures.picture_decoder import MAX_PIXELS
from data.pictures.plane_reader import PlaneReader
from data.pictures.sources import find_sources, keep_results_out, words
from data.pictures.video import read_frames
from data.tiles.tile_size import check_tile
from models.explaining.explainer import Explainer
from models.inference.gathering import Merge
from models.inference.inference import Inference
from models.inference.nms import NMSConfig
from models.pretrained.shipped import is_shipped
from models.ready.asking import asked_prompts, own_thresholds
from models.ready.ensemble import shared_stride
from models.ready.examples import look_at
from models.ready.finder import Finder, Running, Wanted
from models.ready.footprint import check_fits
from models.ready.load import Loaded, half_words
from models.ready.prompted import check_reads_text
from models.ready.weights_choice import chosen_weights
from utils.answers.asked_texts import asked_texts
from utils.config.config import DataConfig, RunConfig
from utils.config.given_values import as_path, as_switch
from utils.config.ranges import in_range
from utils.console.log import LOG, log_to, messages_aside
from utils.console.progress import progress
from utils.console.script import end, run_script
from utils.console.signals import Stop, Stopped, complete
from utils.deciding.given_limits import asked_settings, tiles_as_made
from utils.deciding.threshold_file import Limits
from utils.detecting.frame_batches import frame_batches
from utils.detecting.output_options import DetectionOutput
from utils.detecting.run_folder import new_detection_folder
from utils.detecting.zoned_frames import fitting_frames
from utils.files.checkpoint import weights_about
from utils.files.runs import planned_run, provenance, write_about
from utils.flags.detect_flags import DetectFlags, assigned_config, check_line, parse_detect, wanted
from utils.flags.looking_flags import LookingFlags, given_looking
from utils.line.line import Line
from utils.line.line_folder import line_place, planned_line, write_line_about
from utils.line.verdict_lines import STDOUT
from utils.page.desk import Desk
from utils.processes.device import half_precision, select_device
from utils.processes.distributed import ALONE, World, find_place, joined
from utils.processes.launch import device_of
from utils.processes.memory import keep_freed_memory
from utils.report.detection_run import say_fainter, write_run
from utils.serving.server import at_door
from utils.values.channels import serve
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.heat import Heat
from utils.values.picture_result import PictureResult
from utils.values.unknown_defect import without_twice_found
from utils.words.errors import ConfigError, printable
from utils.words.text import counted


class Detector(Finder[Picture]):
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
        words = Wanted(prompts, partial(_shown, examples=examples, imgsz=imgsz), unknown, text_encoder, glossary)
        super().__init__(paths, str(device), words, Running(half, static, masks, sam))
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
        channels = serve(data.channels, self.channels, str(self.path), printable(source))
        more = self.call_classes(data.names)
        self.channels, self.optics, self.mm_per_px = channels, Optics(channels), data.members[0].mm_per_px
        return [*notices, *more]

    def use_thresholds(self, path: str | Path, warn: Callable[[str], None] = LOG.warning) -> Limits:
        """See Finder; NMS, input size and tiles become those that the thresholds were chosen with, unless given
        otherwise.
        """
        made = super().use_thresholds(path, warn).made
        self._look(tiles_as_made(self.given, made), self.given_imgsz or made.imgsz)
        assert self.limits is not None, "they were read"
        return self.limits

    def read(self, path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """A picture with the planes the checkpoint was trained on: (H, W, C). Raises UserError."""
        return PlaneReader(self.channels, in_range(DataConfig, "max_pixels", max_pixels))(Path(as_path("path", path)))

    def __call__(self, picture: Picture, conf: float = 0.25, iou: float = 0.45, max_det: int = 1000) -> Detections:
        """Detections in pixels of the picture: a path, PIL image, array or tensor, see data/pictures/given_picture.py.

        Raises DataError for a picture that cannot be taken, ConfigError for a value out of its range.
        """
        nms = self.nms(conf, iou, max_det)
        return without_twice_found(self.detect([self.planes(picture)], nms)[0])

    def planes(self, picture: Picture) -> np.ndarray:
        """(H, W, C) of a picture, see data/pictures/given_picture.py. Raises DataError."""
        return planes_of(picture, self.channels, self.bgr)

    def shown(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB for people of the planes of a picture."""
        return self.optics.show(image)

    def tiles(self, size: tuple[int, int]) -> int:
        """How many parts of a picture of `size` (height, width) px are looked at."""
        return self.looking.tiles(size)

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
        counting = [self.counting(found[k], image.shape[:2]) for k, image in enumerate(images)]
        if self.masker is None:
            return counting
        masks = [self.masker(self.optics.show(image), counting[k].boxes) for k, image in enumerate(images)]
        return [replace(counting[k], masks=rles) for k, rles in enumerate(masks)]

    @torch.inference_mode()
    def explain(self, image: np.ndarray, found: Detections, number: int) -> Heat:
        """Why that box of what was found in the planes of a picture is there, see models/explaining/README.md."""
        box, scene = found.boxes[number], Scene.without_truth(image)
        with half_precision(self.model.device, self.half):
            around = views_around(self.looking, scene, box, self.optics)
            return Explainer(self.models, self.order)(around, box, int(found.labels[number]))


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


@dataclass(frozen=True, eq=False)
class Prepared:
    """A Detector as the command line wants it, what it counts, and what is to be said once there is a log."""

    detector: Detector
    nms: NMSConfig
    notices: Sequence[str]
    warnings: Sequence[str]

    def begin(self, flags: DetectFlags, run: Path, inputs: str) -> DetectionOutput:
        """Say how the run in its folder begins, and what it is to leave."""
        detector = self.detector
        LOG.info("weights %s, %s", " + ".join([str(detector.path), *flags.ensemble]), inputs)
        for line in self.warnings:
            LOG.warning(line)
        output = replace(DetectionOutput.of(flags), tiles=detector.looking.tiling is not None, zones=detector.zones)
        masks = detector.masker.mode if detector.masker else ""
        more = half_words(detector.model, flags.half), detector.looking.words()
        for line in chain(self.notices, *more, output.notices(run, masks, flags.view_img)):
            LOG.info(line)
        return output

    def about(self, argv: Sequence[str] | None) -> dict[str, Any]:
        """What run.json says of where the results are from."""
        zones = {"zones": self.detector.zones.identity.plain()} if self.detector.zones else {}
        return {**provenance(argv), **weights_about(self.detector.path), **self.detector.about, **zones}

    def desk(self, flags: DetectFlags, line: str = "") -> Desk:
        """What the page works with; `line`: what is looked at meanwhile."""
        detector = self.detector

        def looking_for(prompts: str) -> Detector:
            other = _detector(replace(flags, prompts=prompts, examples="", unknown=False), ())
            other.channels, other.optics, other.mm_per_px = detector.channels, detector.optics, detector.mm_per_px
            other.zones = other.use_zones(flags.roi) if flags.roi else None
            other.wanted_nms(replace(flags, classes=()))
            return other

        return Desk.of(flags, detector, looking_for if detector.reads_text else None, line)


def prepare(flags: DetectFlags) -> Prepared:
    """The checkpoint, with the data, thresholds, words and questions that the flags name. Raises UserError."""
    texts = asked_texts(flags.ask, flags.ask_file)
    detector = _detector(flags, texts)
    detector.explains = flags.explain
    if texts and not flags.thresholds and flags.conf_thres is None and not detector.prompted:
        flags = replace(flags, thresholds=own_thresholds(detector.path))
    notices = detector.use_data(flags.data) if flags.data else []
    if flags.roi:
        detector.use_zones(flags.roi)
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
    return Prepared(detector, detector.wanted_nms(flags), notices, warnings)


def detect_pictures(flags: DetectFlags, argv: Sequence[str] | None, world: World = ALONE) -> tuple[Path, int]:
    """Checkpoint, inputs, files. Returns the run folder and the exit code (3: unreadable input; 10: --fail-on-defect).

    With several processes each handles its share of the inputs and writes their pictures; rank 0 writes the tables.
    """
    ready = prepare(flags)
    detector = ready.detector
    pattern = flags.source or str(write_glass(Path("runs/glass")).parent / "images" / "val")
    sources = find_sources(pattern, flags.recursive, detector.channels)
    keep_results_out(planned_run(flags.project, flags.name, flags.exist_ok), pattern, sources)
    video = any(source.video for source in sources)
    check_fits(detector.model, detector.imgsz, flags.batch_size if video else min(flags.batch_size, len(sources)))
    outputs = [source.output for source in sources]
    run = world.broadcast(new_detection_folder(flags, outputs) if world.first else Path())
    if world.first:
        log_to(run / "detect.log")
        write_about(run, ready.about(argv), assigned_config(flags).run.full_paths)
    output = ready.begin(flags, run, f"{words(sources)} from {pattern}")
    share = world.part(sources)
    strict = flags.bad_data == "error"
    frames = read_frames(share, flags.vid_stride, flags.max_pixels, strict, detector.channels)
    frames = fitting_frames(frames, detector.zones, strict)
    total = None if any(source.video for source in share) else len(share)  # a video's frames are not counted ahead
    with Stop(impatient=world.size == 1) as stop:
        results = progress(look(detector, frames, ready.nms, flags.batch_size, stop), "detecting", total)
        totals = write_run(run, results, detector.names[: detector.own], output, world, stop)
        say_fainter(flags, totals, ready.nms.conf)
        if stop.received:
            raise Stopped(stop.received, f"{run} is complete")
    complete()
    return run, 3 if totals.unreadable else 10 if flags.fail_on_defect and totals.bad else 0


def judge_line(flags: DetectFlags, argv: Sequence[str] | None) -> None:
    """Judge the pictures of a watched folder or a camera as they come, until a signal raises Stopped."""
    camera = None if flags.watch else Camera(flags.source or "", flags.vid_stride)
    source, what = (camera.source, camera.name) if camera else (flags.watch, printable(flags.watch))
    if not camera:
        check_watched(source, planned_line(flags.project, flags.name, source), flags.move_to, flags.recursive)
    if flags.json_lines == STDOUT:
        messages_aside()
    served = at_door(flags.serve, flags.token_file) if flags.serve else None
    with line_place(flags.project, flags.name, source) as run, Stop() as stop:
        ready = prepare(flags)
        check_whole(flags.move_to, ready.detector.channels)
        log_to(run / "detect.log")
        write_line_about(run, source, what, ready.about(argv), assigned_config(flags).run.full_paths)
        output, desk = ready.begin(flags, run, f"watching {what}"), ready.desk(flags, f"watching {what}")
        reader, going = PlaneReader(ready.detector.channels, flags.max_pixels), lambda: not stop.received
        page = served(desk) if served else nullcontext()
        with page as server, Line.open(run, output, flags, server.live if server else None) as line:
            LOG.info("%s%s; Ctrl-C or SIGTERM ends it", line.begin_words(), run / "summary.csv")
            with incoming(camera or source, reader, line.journal.known, flags.recursive, going) as arrived:
                line.judge(arrived, partial(ready.detector.result, nms=ready.nms), desk.lock, going)
        raise Stopped(stop.received, f"{line.words()}; the same command goes on")


def serve_page(flags: DetectFlags) -> None:
    """Show the page in the browser, until a signal raises Stopped."""
    served = at_door(flags.serve, flags.token_file)
    ready = prepare(flags)
    for line in (*ready.notices, *ready.warnings):
        LOG.info(line)
    with served(ready.desk(flags)) as server, Stop() as stop:
        server.wait(stop)
        raise Stopped(stop.received, "the page is closed; the same command opens it again")


def _detector(flags: DetectFlags, texts: Sequence[str]) -> Detector:
    words = flags.prompts is not None or bool(flags.examples) or flags.unknown
    weights = chosen_weights(flags.weights, words, asked=bool(texts))
    if texts and not words and is_shipped(weights):
        flags = replace(flags, prompts=asked_prompts(texts))  # of its own classes, which were drawn, nobody has asked
    return Detector([weights, *flags.ensemble], **wanted(flags))


def main_story(argv: Sequence[str] | None) -> int:
    """See `detect_pictures`, where under torchrun the processes share the inputs, and `judge_line`."""
    flags, place = parse_detect(argv), find_place(None)
    flags = replace(flags, device=device_of(flags.device, place))
    keep_freed_memory()
    line = bool(flags.watch) or is_camera(flags.source or "")
    check_line(flags, line)
    with joined(place, select_device(flags.device), RunConfig().timeout) as world:
        if not line and not flags.serve:
            return detect_pictures(flags, argv, world)[1]
        if world.size > 1:
            raise ConfigError("--watch, cameras, --serve: are of one process; start it without a launcher")
        judge_line(flags, argv) if line else serve_page(flags)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    end(main())
