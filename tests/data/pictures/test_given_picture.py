"""Every form of a picture gives the planes of its file, or one sentence."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from data.pictures.given_picture import planes_of
from data.pictures.picture_decoder import read_image
from utils.values.channels import Channels
from utils.words.errors import DataError

COLOUR = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
GREY = COLOUR[..., 0]
ALPHA = np.dstack((COLOUR, GREY))
DEEP = (COLOUR.astype(np.uint16) << 8) | GREY[..., None]


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


FORMS = {
    "uint8": (COLOUR, False),
    "array that could be masked": (np.ma.masked_array(COLOUR, False), False),
    "read-only": (read_only(COLOUR), False),
    "Fortran order": (np.asfortranarray(COLOUR), False),
    "view of a larger one": (np.pad(COLOUR, ((5, 5), (5, 5), (0, 0)))[5:-5, 5:-5], False),
    "negative strides": (COLOUR[::-1, ::-1].copy()[::-1, ::-1], False),
    "BGR": (COLOUR[..., ::-1], True),
    "BGRA": (ALPHA[..., [2, 1, 0, 3]], True),
    "RGBA": (ALPHA, False),
    "uint16": (DEEP, False),
    "uint16, other byte order": (DEEP.astype(">u2"), False),
    "float32": (COLOUR.astype(np.float32) / 255, False),
    "float64": (COLOUR / 255, False),
    "float16": ((COLOUR / 255).astype(np.float16), False),
    "PIL": (Image.fromarray(COLOUR), False),
    "PIL with alpha": (Image.fromarray(ALPHA), False),
    "PIL, whatever the order of arrays": (Image.fromarray(COLOUR), True),
    "tensor HWC": (torch.from_numpy(COLOUR), False),
    "tensor CHW": (torch.from_numpy(COLOUR).permute(2, 0, 1), False),
    "tensor CHW in 0..1": (torch.from_numpy(COLOUR).permute(2, 0, 1) / 255, False),
    "tensor with gradients": ((torch.from_numpy(COLOUR) / 255).requires_grad_(), False),
    "tensor CHW, BGR": (torch.from_numpy(COLOUR[..., ::-1].copy()).permute(2, 0, 1), True),
    "tensor of four planes": (torch.from_numpy(ALPHA).permute(2, 0, 1), False),
}


@pytest.mark.parametrize("form", FORMS)
def test_colour(form, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), COLOUR[..., ::-1])
    given, bgr = FORMS[form]
    planes = planes_of(given, Channels(), bgr)
    assert planes.flags.c_contiguous and planes.dtype == np.uint8
    np.testing.assert_array_equal(planes, read_image(tmp_path / "p.png"))


GREY_FORMS = {
    "(H, W)": GREY,
    "(H, W, 1)": GREY[..., None],
    "PIL L": Image.fromarray(GREY),
    "PIL LA": Image.merge("LA", (Image.fromarray(GREY), Image.fromarray(255 - GREY))),
    "tensor (H, W)": torch.from_numpy(GREY.copy()),
    "tensor (1, H, W)": torch.from_numpy(GREY.copy())[None],
    "float": GREY / 255,
}


@pytest.mark.parametrize("form", GREY_FORMS)
def test_grey(form):
    np.testing.assert_array_equal(planes_of(GREY_FORMS[form], Channels()), np.dstack([GREY] * 3))


@pytest.mark.parametrize("turn", range(1, 9))
def test_pil_images_are_turned_by_their_exif_as_their_files_are(turn, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = turn
    Image.fromarray(COLOUR).save(tmp_path / "p.png", exif=exif)
    with Image.open(tmp_path / "p.png") as picture:
        np.testing.assert_array_equal(planes_of(picture, Channels()), read_image(tmp_path / "p.png"))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "PA"])
def test_pil_modes_give_what_the_file_gives(mode, tmp_path):
    picture = (
        Image.fromarray(DEEP[..., 0]) if mode == "I;16" else Image.fromarray(COLOUR).convert(mode.replace("PA", "P"))
    )
    picture = picture.convert("PA") if mode == "PA" else picture
    form = "tiff" if mode == "PA" else "png"
    picture.save(tmp_path / f"p.{form}")
    with Image.open(tmp_path / f"p.{form}") as again:
        np.testing.assert_array_equal(planes_of(again, Channels()), read_image(tmp_path / f"p.{form}"))


def test_black_is_black_in_every_type():
    for kind in (np.uint8, np.uint16, np.float32, bool):
        assert not planes_of(np.zeros((4, 4, 3), kind), Channels()).any()
    assert planes_of(np.ones((4, 4), bool), Channels()).min() == 255


WRONG = {
    "floats up to 255": COLOUR.astype(np.float32),
    "floats divided twice": COLOUR / 255 / 255,
    "negative floats": COLOUR / 255 - 0.5,
    "nan": np.where(COLOUR > 250, np.nan, COLOUR / 255),
    "inf": np.where(COLOUR > 250, np.inf, COLOUR / 255),
    "bytes of 0 and 1": (COLOUR > 100).astype(np.uint8),
    "8 bit in 16": COLOUR.astype(np.uint16),
    "12 bit in 16": DEEP >> 4,
    "int64": COLOUR.astype(np.int64),
    "int8": COLOUR.astype(np.int8),
    "complex": COLOUR.astype(complex),
    "objects": COLOUR.astype(object),
    "text": np.array([["a"]]),
    "nothing": np.zeros((0, 4, 3), np.uint8),
    "no planes": np.zeros((4, 4, 0), np.uint8),
    "a number": np.uint8(3) * np.ones((), np.uint8),
    "a row": COLOUR[0, :, 0],
    "two planes": COLOUR[..., :2],
    "seven planes": np.dstack([COLOUR] * 3)[..., :7],
    "planes first in an array": COLOUR.transpose(2, 0, 1),
    "a batch": COLOUR[None],
    "a batch of one tensor": torch.zeros(1, 3, 8, 8),
    "tensor of either order": torch.rand(3, 8, 3),
    "meta tensor": torch.zeros(3, 8, 8, device="meta"),
    "sparse tensor": torch.eye(8).to_sparse(),
    "nested tensor": torch.nested.nested_tensor([torch.rand(3, 4, 4)], layout=torch.jagged),
    "nested tensor, strided": torch.nested.nested_tensor([torch.rand(3, 4, 4)]),
    "tensor float8": torch.rand(3, 8, 8).to(torch.float8_e4m3fn),
    "tensor complex": torch.rand(3, 8, 8).to(torch.complex64),
    "masked array": np.ma.masked_array(COLOUR, COLOUR > 100),
    "tensor int64": torch.from_numpy(COLOUR).long(),
    "None": None,
    "bytes": b"abc",
    "list": COLOUR.tolist(),
    "blank": " ",
    "PIL float": Image.fromarray(np.zeros((4, 4), np.float32)),
    "PIL 32 bit": Image.fromarray(np.zeros((4, 4), np.int32)),
    "PIL HSV": Image.fromarray(COLOUR).convert("HSV"),
    "a folder": "/tmp",
    "nowhere": "nowhere.png",
    "NUL": "a\0b",
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("channels", [Channels(), Channels(image=("i0",), bits=16)], ids=["rgb", "other"])
def test_everything_else_is_one_sentence(what, channels):
    with pytest.raises(DataError) as caught:
        planes_of(WRONG[what], channels)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_too_large():
    with pytest.raises(DataError, match="at most 100 are taken"):
        planes_of(np.zeros((11, 10), np.uint8), Channels(), max_pixels=100)


PLANES = Channels(image=("a", "b"))


def test_a_network_of_other_planes_takes_them_as_they_are_stored():
    two = COLOUR[..., :2]
    np.testing.assert_array_equal(planes_of(two, PLANES), two)
    np.testing.assert_array_equal(planes_of(torch.from_numpy(two.copy()).permute(2, 0, 1), PLANES), two)
    deep = Channels(image=("a", "b"), bits=12)
    np.testing.assert_array_equal(planes_of(DEEP[..., :2] >> 4, deep), DEEP[..., :2] >> 4)
    for wrong in (DEEP[..., :2], two, Image.fromarray(COLOUR), COLOUR):
        with pytest.raises(DataError):
            planes_of(wrong, deep)
