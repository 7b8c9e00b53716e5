"""Pictures and videos with the detections drawn in."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from utils.drawing.contact_sheet import fitted
from utils.files.output_files import make_folder, remove_result, write_bytes
from utils.values.frame import Clip
from utils.words.errors import ResourceError, printable

LONGEST = 65_500  # px of a side, of what libjpeg writes
MOST_DRAWN = 50_000_000  # px of a picture that is drawn on as it is
SHRUNK = 16_000_000  # px that a larger one is shrunk to: drawing takes some 20 bytes for each
CODECS = ((".mp4", "mp4v"), (".avi", "MJPG"))


def write_picture(path: Path, image: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB as JPEG, smaller where a JPEG cannot be so large; huge planes that are one in memory as
    a grey one. Raises ResourceError.
    """
    small = _encodable(image[..., 0] if _is_one(image) and is_large(image) else image)
    coded = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    try:  # cv2.imwrite would fail on some Unicode paths
        done, data = cv2.imencode(".jpg", coded, [cv2.IMWRITE_JPEG_QUALITY, 95])
    except cv2.error as error:
        raise _not_encoded(path, small) from error
    if not done:
        raise _not_encoded(path, small)
    write_bytes(path, data.tobytes())


def is_large(image: np.ndarray) -> bool:
    """Whether a picture is not drawn on at its own size."""
    return image.shape[0] * image.shape[1] > MOST_DRAWN


def drawable(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) as it is drawn on: itself, or an averaged copy of SHRUNK px of a large one."""
    if not is_large(image):
        return image
    scale = math.sqrt(SHRUNK / (image.shape[0] * image.shape[1]))
    height, width = (max(round(side * scale), 1) for side in image.shape[:2])
    if _is_one(image):  # OpenCV would copy the whole of it as three planes
        return cv2.cvtColor(fitted(image[..., 0], height, width), cv2.COLOR_GRAY2RGB)
    return fitted(image, height, width)


def kept(image: np.ndarray) -> np.ndarray:
    """A copy of a cut-out, which may outlive the picture; planes that are one in memory stay one."""
    return np.broadcast_to(image[..., :1].copy(), image.shape) if _is_one(image) else image.copy()


def _is_one(image: np.ndarray) -> bool:
    """Whether the three planes of a grey picture are one in memory."""
    return image.shape[2] == 3 and image.strides[2] == 0


def _encodable(image: np.ndarray) -> np.ndarray:
    scale = LONGEST / max(image.shape[:2])
    return image if scale >= 1 else fitted(image, *(max(math.floor(side * scale), 1) for side in image.shape[:2]))


def _not_encoded(path: Path, image: np.ndarray) -> ResourceError:
    size = f"{image.shape[1]} x {image.shape[0]} px"
    return ResourceError(f"{printable(str(path))}: OpenCV cannot encode {size} as JPEG; --nosave does without")


class OverlayVideos:
    """Writes the frames of one clip after the other, each into its own file below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clip: Clip | None = None
        self.writer: cv2.VideoWriter | None = None
        self.size, self.path = (0, 0), folder  # height, width px of the open file, and its place

    def add(self, clip: Clip, image: np.ndarray) -> None:
        """The next frame, (H, W, 3) uint8 RGB. Raises ResourceError when no video can be written."""
        if clip != self.clip or self.writer is None:
            self.close()
            self.clip, self.size = clip, (image.shape[0], image.shape[1])
            self.writer = self._open(clip)
        self.writer.write(self._frame(image))

    def close(self) -> None:
        """Finish the open file. Raises ResourceError when it cannot be read back."""
        if self.writer is None:
            return
        self.writer.release()
        self.writer = None
        if not _readable(self.path):  # OpenCV drops what the disk does not take, without a word
            raise ResourceError(f"{printable(str(self.path))}: is not complete; make room, or --nosave does without")

    def _open(self, clip: Clip) -> cv2.VideoWriter:
        """MPEG-4, or Motion JPEG where OpenCV was built without it."""
        rate = clip.rate if math.isfinite(clip.rate) and 0 < clip.rate <= 1000 else 25.0
        height, width = self.size
        place = self.folder / clip.output
        make_folder(place.parent)
        for suffix, codec in CODECS:
            self.path = place.with_name(place.name + suffix)
            remove_result(self.path)  # OpenCV would write through a link
            size = (width + width % 2, height + height % 2)
            writer = cv2.VideoWriter(str(self.path), cv2.VideoWriter.fourcc(*codec), rate, size)
            if writer.isOpened():
                return writer
        raise ResourceError(f"{printable(str(place))}: OpenCV cannot write this video; --nosave does without")

    def _frame(self, image: np.ndarray) -> np.ndarray:
        """BGR, of the size of the first frame, made even: the encoders would cut off an odd row or column."""
        height, width = self.size
        # OpenCV drops frames of another size without an error
        bgr = cv2.cvtColor(fitted(image, height, width), cv2.COLOR_RGB2BGR)
        return cv2.copyMakeBorder(bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)


def _readable(path: Path) -> bool:
    """Whether a video has an index and a first frame; a cut one lacks the index."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        return capture.isOpened() and bool(capture.grab())
    finally:
        capture.release()
