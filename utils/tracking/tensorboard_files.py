"""TensorBoard's event files, below the run folder: `tensorboard --logdir runs/train` shows the runs together."""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from utils.files.output_files import make_folder
from utils.tracking.tracker import Beginning, Status
from utils.words.errors import ResourceError

COLOURS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}  # Pillow's modes as TensorBoard numbers them


class TensorboardFiles:
    """A file for each process of a run: a resumed one says from which step on it replaces what came before."""

    label = "tensorboard"

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tensorboard"
        self.step = 0

    def start(self, run: Beginning) -> None:
        """Open a new file. Raises ResourceError."""
        self.step = run.first
        earlier = sorted(make_folder(self.folder).glob("events.out.tfevents.*"))
        # read in the order of their names, so the time comes first; not the host's name, which the library would add
        path = self.folder / f"events.out.tfevents.{int(time.time()):010d}.{len(earlier):04d}"
        try:
            self.file = open(path, "xb")  # noqa: SIM115  open as long as the run
        except OSError as error:
            raise ResourceError(f"{path}: cannot be written: {error.strerror}") from error
        record_writer = importlib.import_module("tensorboard.summary.writer.record_writer")
        self.records = record_writer.RecordWriter(self.file)
        self.protos = importlib.import_module("tensorboard.compat.proto.event_pb2")
        self.summaries = importlib.import_module("tensorboard.compat.proto.summary_pb2")
        self._write(file_version="brain.Event:2")
        if earlier:
            self._write(session_log=self.protos.SessionLog(status=self.protos.SessionLog.START))
        else:
            self._text("config", f"```yaml\n{yaml.safe_dump(dict(run.config), sort_keys=False)}```")
            self._text("run", _table(run.about))

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """A scalar for each value, at this step. Raises OSError."""
        self.step = number
        self._summary([self.summaries.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])

    def picture(self, name: str, path: Path) -> None:
        """The bytes of the file, at the step of the last epoch. Raises OSError."""
        with Image.open(path) as shown:
            (width, height), colours = shown.size, COLOURS.get(shown.mode, 3)
        image = self.summaries.Summary.Image(
            height=height, width=width, colorspace=colours, encoded_image_string=path.read_bytes()
        )
        self._summary([self.summaries.Summary.Value(tag=f"pictures/{name}", image=image)])

    def end(self, status: Status, about: Mapping[str, str]) -> None:
        """How the run ended, as a text; the file is closed. Raises OSError."""
        self._text("end", _table({"status": status, **about}))
        self.file.close()

    def _text(self, tag: str, words: str) -> None:
        metadata = self.summaries.SummaryMetadata(
            plugin_data=self.summaries.SummaryMetadata.PluginData(plugin_name="text")
        )
        value = self.summaries.Summary.Value(tag=tag, metadata=metadata)
        value.tensor.dtype = 7  # DT_STRING
        value.tensor.tensor_shape.dim.add().size = 1
        value.tensor.string_val.append(words.encode("utf-8", "backslashreplace"))
        self._summary([value])

    def _summary(self, values: Sequence[Any]) -> None:
        self._write(summary=self.summaries.Summary(value=values))

    def _write(self, **content: Any) -> None:
        event = self.protos.Event(wall_time=time.time(), step=self.step, **content)
        self.records.write(event.SerializeToString())
        self.records.flush()  # what is kept stays kept, however the process ends; and a full disk is noticed here


def _table(values: Mapping[str, str]) -> str:
    """Markdown, which TensorBoard shows."""
    rows = [f"| {key} | {value.replace('|', chr(92) + '|')} |" for key, value in values.items()]
    return "\n".join(["| | |", "|---|---|", *rows])
