"""Named planes from files to tensors: depth kept, names checked, every mistake one sentence with file and channel."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from data.augment.polarization import Optics
from data.batches.build import eval_loader
from data.pictures.channel_keys import read_channels
from data.pictures.plane_files import read_planes
from data.pictures.plane_reader import PlaneReader
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy, read_records
from utils.config.config import DataConfig
from utils.values.channels import ANGLES, RGB, Channels, channels_of_plain, serve
from utils.words.errors import CheckpointError, ConfigError, DataError
from utils.words.yamlio import parse_yaml

SHAPE = (64, 64)
POLICY = ReadPolicy(bad_data="error", drop_duplicates=False)
YAML = "path: .\ntrain: images/train\nval: images/val\nnames: [flaw]\n"


def noise(planes=1, top=255, shape=SHAPE, seed=0):
    kind = np.uint8 if top < 256 else np.uint16
    return np.random.default_rng(seed).integers(0, top + 1, (*shape, planes), dtype=kind)


def store(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, image)
        return
    bgr = image[..., ::-1] if image.shape[2] == 3 else image
    path.write_bytes(cv2.imencode(path.suffix, bgr)[1].tobytes())


@pytest.fixture
def home(tmp_path):
    """Two pictures per split with a second one each, grey, and all four angles."""
    for split in ("train", "val"):
        for k in range(2):
            store(tmp_path / "images" / split / f"{k}.png", noise(3, seed=k))
            store(tmp_path / "second" / split / f"{k}.png", noise(1, seed=k + 10))
            for n, name in enumerate(ANGLES):
                store(tmp_path / "polar" / split / f"{k}_{name}.png", noise(1, 200, seed=10 * k + n))
            (tmp_path / "labels" / split).mkdir(parents=True, exist_ok=True)
            (tmp_path / "labels" / split / f"{k}.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    return tmp_path


def truth(home, more):
    (home / "data.yaml").write_text(YAML + more, encoding="utf-8")
    return read_records(read_description(home / "data.yaml")[0], "val", POLICY)


def batch(home, more):
    read = truth(home, more)
    data = DataConfig(imgsz=SHAPE[0], workers=0)
    return next(iter(eval_loader(read.records, data, 32, 2, False, read.channels, strict=True)))


def channels_of(text):
    return read_channels(parse_yaml(YAML + text, "data.yaml"))


ANGLE_FILES = 'polar: {dir: polar, pattern: "{stem}_{channel}.png", from: angles}\n'


def test_without_the_keys_nothing_changes(home):
    assert truth(home, "").channels == Channels() and Channels().plain() == ["r", "g", "b"]
    images = batch(home, "").images
    assert images.dtype == torch.uint8
    assert np.array_equal(images[0].permute(1, 2, 0).numpy(), noise(3, seed=0))


@pytest.mark.parametrize(("bits", "suffix"), [(16, ".png"), (12, ".png"), (10, ".tiff"), (16, ".npy")])
def test_deep_grey_reaches_the_network_unrounded(home, bits, suffix):
    top = (1 << bits) - 1
    for path in sorted((home / "images").rglob("*.png")):
        path.unlink()
        store(path.with_suffix(suffix), noise(1, top, seed=3))
    made = batch(home, f"channels: [gray]\nbit_depth: {bits}\n")
    want = noise(1, top, seed=3)
    assert made.images.dtype == torch.uint16 and np.array_equal(made.images[0].permute(1, 2, 0).numpy(), want)
    exact = torch.from_numpy(want.astype(np.float32)) / top
    assert torch.equal(made.inputs()[0].permute(1, 2, 0), exact)


@pytest.mark.parametrize("planes", [3, 4, 6])
def test_named_planes_of_a_stack(home, planes):
    names = ", ".join(f"p{k}" for k in range(planes))
    for path in sorted((home / "images").rglob("*.png")):
        path.unlink()
        store(path.with_suffix(".npy"), noise(planes, 60000))
    made = batch(home, f"channels: [{names}]\nbit_depth: 16\n")
    assert np.array_equal(made.images[1].permute(1, 2, 0).numpy(), noise(planes, 60000))


def test_pages_of_a_tiff_are_planes(home):
    for path in sorted((home / "images").rglob("*.png")):
        path.unlink()
        pages = [plane for plane in np.moveaxis(noise(5, 60000), -1, 0)]
        path.with_suffix(".tif").write_bytes(cv2.imencodemulti(".tif", pages)[1].tobytes())
    made = batch(home, "channels: [p0, p1, p2, p3, p4]\nbit_depth: 16\n")
    assert np.array_equal(made.images[0].permute(1, 2, 0).numpy(), noise(5, 60000))


def test_four_angles_alone_in_a_file_each(home):
    text = YAML.replace("images/", "polar/") + 'channels: [i0, i45, i90, i135]\nfiles: "{stem}_{channel}.png"\n'
    (home / "data.yaml").write_text(text, encoding="utf-8")
    read = read_records(
        read_description(home / "data.yaml")[0], "val", ReadPolicy(**{**vars(POLICY), "allow_empty": True})
    )
    assert [record.path.name for record in read.records] == ["0_i0.png", "1_i0.png"] and read.data_report.found == 2
    image = PlaneReader(read.channels, 10**8)(read.records[1].path)
    want = np.concatenate([noise(1, 200, seed=10 + n) for n in range(4)], 2)
    np.testing.assert_allclose(image, want / np.float32(255), atol=1e-7)


def test_second_picture_and_its_absence(home, caplog):
    made = batch(home, "polar: second\n")
    assert made.images.shape == (2, 4, *SHAPE) and np.array_equal(made.images[1, 3].numpy(), noise(1, seed=11)[..., 0])
    (home / "second" / "val" / "1.png").unlink()
    caplog.clear()
    made = batch(home, "polar: {dir: second}\n")
    assert not made.images[1, 3].any() and made.images[0, 3].any()
    warnings = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1 and "1 of 2 pictures have no second picture" in warnings[0]
    (home / "second" / "val" / "0.png").unlink()
    with pytest.raises(DataError, match=r"data.yaml:3: polar: no picture has a second one"):
        truth(home, "polar: second\n")


def test_a_jpeg_in_colour_gives_its_brightness_turned_as_its_exif_says(tmp_path):
    smooth = cv2.resize(noise(3, seed=0)[:6, :8], (64, 48), interpolation=cv2.INTER_CUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95, subsampling=0, exif=exif)
    found = read_planes(tmp_path / "a.jpg", ("polar",), 8, 10**6)
    colours = read_planes(tmp_path / "a.jpg", ("r", "g", "b"), 8, 10**6)
    assert found.shape == (64, 48, 1) and colours.shape == (64, 48, 3)
    assert np.abs(found[..., 0].astype(int) - cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)).max() <= 2


def test_second_pictures_below_the_pictures_are_not_listed(home):
    """Without a folder called images the second ones lie below the pictures' own folder."""
    (home / "images").rename(home / "shots")
    store(home / "shots" / "val" / "second" / "0.png", noise(1))
    (home / "data.yaml").write_text(YAML.replace("images/", "shots/") + "polar: second\n", encoding="utf-8")
    policy = ReadPolicy(bad_data="error", drop_duplicates=False, allow_empty=True)
    read = read_records(read_description(home / "data.yaml")[0], "val", policy)
    assert [record.path.parent.name for record in read.records] == ["val", "val"]


def test_missing_angles_are_zeros_when_all_are(home):
    for name in ANGLES:
        (home / "polar" / "val" / f"1_{name}.png").unlink()
    made = batch(home, ANGLE_FILES)
    assert made.images.shape == (2, 6, *SHAPE) and not made.inputs()[1, 3:].any() and made.inputs()[0, 3:].any()


WRONG_FILES = {
    "other size": (
        "polar: second\n",
        "second/val/1.png",
        noise(1, shape=(32, 64)),
        ("polar: is 64 x 32, but 1.png is",),
    ),
    "angle missing": (ANGLE_FILES, "polar/val/0_i45.png", None, ("0_i45.png", "angle i45 of 0.png is missing")),
    "angle of other size": (ANGLE_FILES, "polar/val/0_i90.png", noise(1, shape=(8, 8)), ("0_i90.png", "i90: is 8 x 8")),
    "colour where grey is named": ("channels: [gray]\n", "", None, ("images/val/0.png", "3 planes", "(gray)")),
    "colour angle": (ANGLE_FILES, "polar/val/1_i0.png", noise(3), ("1_i0.png", "holds 3 planes", "(i0)")),
    "8 bit, not 16": (
        "channels: [gray]\nbit_depth: 16\n",
        "images/val/0.png",
        noise(1),
        ("0.png", "gray: is 8 bit, but bit_depth says 16"),
    ),
    "beyond 12 bit": ("channels: [gray]\nbit_depth: 12\n", "images/val/0.png", noise(1, 60000), ("more than 12 bits",)),
    "grey where three are named": (
        "channels: [p0, p1, p2]\n",
        "images/val/0.png",
        noise(1),
        ("holds 1 plane", "(p0, p1, p2)"),
    ),
    "no array": ("channels: [a]\n", "images/val/0.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '|O'", ("0.npy", "array")),
    "object array": ("channels: [a]\n", "images/val/0.npy", np.array([[None]]), ("0.npy", "is an array")),
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_bad_files_are_one_sentence(home, name):
    more, file, content, words = WRONG_FILES[name]
    if file and content is None:
        (home / file).unlink()
    elif isinstance(content, bytes):
        (home / file).write_bytes(content)
    elif file and content.dtype == object:
        np.save(home / file, content, allow_pickle=True)
    elif file:
        store(home / file, content)
    with pytest.raises(DataError) as caught:
        batch(home, more)
    message = str(caught.value)
    assert "\n" not in message and message.startswith(str(home))
    for word in words:
        assert word in message


def test_a_sample_without_its_first_plane_is_said(home):
    """Its other files are there, so it is not overlooked."""
    for path in (home / "polar").rglob("*.png"):
        place = home / "images" / path.parent.name / path.name
        path.rename(place)
    for path in (home / "images").rglob("?.png"):
        path.unlink()
    (home / "images" / "val" / "1_i0.png").unlink()
    with pytest.raises(DataError, match=r"1_i0.png: the angle i0 of 1_i0.png is missing; add it"):
        truth(home, 'channels: [i0, i45, i90, i135]\nfiles: "{stem}_{channel}.png"\n')


def test_where_the_first_second_picture_was_looked_for_is_said(home):
    with pytest.raises(
        DataError, match=r"data.yaml:3: polar: .* first looked for .*none/val/0.png \(polar\); mend dir"
    ):
        truth(home, "polar: none\n")
    with pytest.raises(DataError, match=r"first looked for .*polar/val/i0-0.png \(i0\); mend dir or pattern"):
        truth(home, 'polar: {dir: polar, pattern: "{channel}-{stem}.png", from: angles}\n')


def test_huge_declared_array_is_refused_before_memory_is_taken(home):
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (100000, 1000), }"
    head += b" " * (118 - len(head) - 1) + b"\n"
    (home / "images" / "val" / "0.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
    with pytest.raises(DataError, match="truncated array"):
        truth(home, "channels: [a]\nbit_depth: 32\n")


WRONG_KEYS = {
    "channels: rgb": ":5: 'channels' must be a list",
    "channels: [r, g]": ":5: r, g and b belong together",
    "channels: [a, a]": ":5: 'a' is named twice",
    "channels: [r, g, b, '../x']": "is no plane name",
    "channels: [i0, i45, i90]": "i0, i45, i90 without i135",
    "channels: [r, g, b, dolp, aolp_sin2]": "aolp_sin2 without aolp_cos2",
    "bit_depth: 24": ":5: 'bit_depth' is a whole number",
    "bit_depth: {rgb: 8}": ":5: 'bit_depth' is one number or",
    "polar: {pattern: x}": "'polar' must be a folder name",
    "polar: {dir: p, patern: x}": "unknown key 'patern'; did you mean 'pattern'?",
    "polar: ../secret": "'dir' is the name of a folder",
    "polar: {dir: /etc}": "'dir' is the name of a folder",
    'polar: {dir: p, pattern: "{stem}.png"}': "'pattern' must be a file name",
    'polar: {dir: p, pattern: "../{stem}{channel}"}': "'pattern' must be a file name",
    "polar: {dir: p, from: raw}": "'from' knows only 'angles'",
    "polar: p\nchannels: [r, g, b]": ":6: 'polar' needs planes of its own",
    "polar: {dir: p, from: angles}\nchannels: [r, g, b, nir]": "of angles come",
}


@pytest.mark.parametrize("text", WRONG_KEYS)
def test_bad_keys_name_their_line(text):
    with pytest.raises(ConfigError) as caught:
        channels_of(text + "\n")
    assert WRONG_KEYS[text] in str(caught.value) and str(caught.value).startswith("data.yaml:")


def test_which_planes_are_polar():
    assert channels_of("channels: [r, g, b, nir]\n").polar == ()
    assert channels_of("channels: [gray, dolp]\n") == Channels(image=("gray",), polar=("dolp",))
    assert channels_of("channels: [r, g, b, x, y]\npolar: p\n").polar == ("x", "y")
    assert channels_of(ANGLE_FILES).held == (*RGB, *ANGLES)


def test_checkpoints_keep_channels():
    deep = channels_of("channels: [r, g, b, dolp]\nbit_depth: {image: 8, polar: 12}\npolar: p\n")
    assert channels_of_plain(deep.plain(), "best.pt") == deep
    assert channels_of_plain(["gray"], "best.pt") == Channels(image=("gray",))
    for broken in ({"image": [1]}, {"x": 1}, 3, {"bits": "8"}, None):
        with pytest.raises(CheckpointError, match=r"best.pt: its channels are not known here"):
            channels_of_plain(broken, "best.pt")


def test_planes_are_matched_by_name(home):
    """A swapped order and what is missing are refused by name; planes that are not needed may lie between."""
    words = r"best.pt: reads the planes in the order r, g, b, but data.yaml has b, g, r: b is out of place"
    with pytest.raises(CheckpointError, match=words):
        truth(home, "channels: [b, g, r]\n").serving(Channels(), "best.pt", "data.yaml")
    angles, offered = Channels(image=("i0", "i90")), Channels(image=ANGLES, files="{stem}_{channel}.png")
    read = replace(truth(home, "").serving(Channels(), "a", "b"), channels=serve(offered, angles, "best.pt", "x"))
    assert read.channels.names == ("i0", "i90") and read.channels.made == ANGLES
    image = PlaneReader(read.channels, 10**8)(home / "polar" / "val" / "1_i0.png")
    want = np.concatenate([noise(1, 200, seed=10 + n) for n in (0, 2)], 2) / np.float32(255)
    np.testing.assert_allclose(Optics(read.channels).finish(image), want, atol=1e-7)
    with pytest.raises(
        CheckpointError, match=r"best.pt: reads the planes r, g, b, polar, but data.yaml has r, g, b: no polar"
    ):
        serve(Channels(), Channels(polar=("polar",)), "best.pt", "data.yaml")
    assert serve(channels_of("polar: p\n"), Channels(), "best.pt", "x") == Channels()
