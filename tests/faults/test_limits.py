"""Kind 8: every number and list has limits, wherever it comes from; flags and knobs are found in the code itself."""

import contextlib
import dataclasses
import itertools
import os
import random
import resource
import socket
import time
import typing
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import detect
import train
import utils.flags.command_flags as commands
import val
from data.pictures.picture_decoder import read_image
from data.pictures.sources import find_sources
from data.sets.data_yaml import describe
from data.sets.name_lists import read_name_file
from models.graph.builder import build_graph
from models.rows.model_spec import parse_spec
from utils.config.config import Config
from utils.config.ranges import field_range
from utils.config.settings import Setting, build_config, settings_of_assignments, settings_of_document
from utils.deciding.threshold_file import read_limits
from utils.flags.detect_flags import parse_detect
from utils.flags.idle_flags import IDLE, MODES
from utils.flags.parser import Parser
from utils.flags.train_flags import parse_train
from utils.flags.val_flags import parse_val
from utils.scoring.prediction_files import read_json
from utils.words.class_names import read_class_mapping
from utils.words.errors import ConfigError, UserError
from utils.words.synonyms import read_synonyms
from utils.words.yamlio import Document, parse_yaml, read_yaml

PARSERS = {
    "train.py": parse_train,
    "val.py": parse_val,
    "detect.py": parse_detect,
    **{name: getattr(commands, name) for name in dir(commands) if name.startswith("parse_")},
}
NUMBERS = [
    "0",
    "-0",
    "-1",
    "1",
    "7",
    "1.5",
    "nan",
    "-inf",
    "inf",
    "1e400",
    "1e9",
    "-1e9",
    "0x10",
    "010",
    "1_000",
    "12:30",
]
NUMBERS += ["9" * 400, "9" * 5000, "-" + "9" * 5000, "1e-400", "２", "²", "1 ", "+5", ".5", "5.", "1e5", "0b1", "2**9"]
WORDS = [
    "",
    " ",
    "true",
    "yes",
    "null",
    "~",
    "[1, 2]",
    "[]",
    "{a: 1}",
    "[[1]]",
    "!!int ''",
    "2001-99-99",
    "a\0b",
    "x" * 9999,
]
WORDS += [
    "\x1b[31m",
    "图",
    "\ud800",
    "-",
    "1,2",
    ",",
    "cpu",
    "SGD",
    "[.nan]",
    "&a [*a]",
    '"5"',
    "!!binary x",
    "a\nb",
    "*",
    "?",
]
POOL = NUMBERS + WORDS
QUICK = 15.0  # seconds, where what is not bounded takes minutes or all memory


def actions(script):
    """The flags of a parser, as the parser has them."""
    held = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Parser, "read", lambda self, argv: held.append(self) or {}["stop"])
        with pytest.raises(KeyError):
            PARSERS[script]([])
    return [a for a in held[0]._actions if a.option_strings and a.nargs != 0 and a.dest not in ("help",)]


FLAGS = [(script, a.option_strings[0], a.nargs) for script in PARSERS for a in actions(script)]
KNOBS = [
    (f"{section.name}.{knob.name}", type_, knob.name)
    for section in dataclasses.fields(Config)
    for type_ in [typing.get_type_hints(Config)[section.name]]
    for knob in dataclasses.fields(type_)
]
CASES_OF_FLAGS = [(*flag, value) for flag in FLAGS for value in POOL]


def check_flag(script, flag, nargs, value):
    """A value of a flag is taken, and then in its range, or refused with the flag's name, at once."""
    words = [flag] + [value] * (nargs if isinstance(nargs, int) else 1)
    needed = ["--data", "x", "--out", "y"]
    further = {
        "parse_pack": needed,
        "parse_model_pack": ["--out", "y"],
        "parse_folds": needed,
        "parse_audit": ["x"],
        "parse_world": ["--out", "y"],
        "parse_drawn": ["--out", "y"],
        "parse_study": ["x"],
        "parse_side_by_side": ["x", "x"],
    }
    words += further.get(script, [])
    started = time.perf_counter()
    try:
        parsed = PARSERS[script](words)
        if script == "train.py":
            check_config(build_config(list(parsed.settings))[0])
            settings_of_assignments(list(parsed.assignments))
    except ConfigError as error:
        assert "\n" not in str(error) and len(str(error)) < 900
        assert flag in str(error) or "\0" in value or value.startswith("-")
    assert time.perf_counter() - started < QUICK


def check_config(config):
    """All numbers of a configuration are in their ranges."""
    for section in dataclasses.fields(config):
        part = getattr(config, section.name)
        for knob in dataclasses.fields(part):
            value, taken = getattr(part, knob.name), field_range(type(part), knob.name)
            for number in value if isinstance(value, tuple) else [value]:
                if isinstance(number, int | float) and not isinstance(number, bool):
                    assert taken is not None and taken.holds(number), knob.name


def outcome(make):
    """The value that a route into the configuration gives, or that it refuses."""
    started = time.perf_counter()
    try:
        config = build_config(make())[0]
        check_config(config)
        return config
    except ConfigError as error:
        assert "\n" not in str(error) and len(str(error)) < 600
        return None
    finally:
        assert time.perf_counter() - started < QUICK


def check_knob(key, value):
    """--set, a training YAML and a Python value agree about a knob."""
    section, name = key.split(".")
    by_set = outcome(lambda: settings_of_assignments([f"{key}={value}"]))
    by_file = outcome(lambda: settings_of_document(parse_yaml(f"{section}: {{{name}: {value}}}", "t.yaml")))
    if by_set is not None and by_file is not None:
        assert by_set == by_file
    try:
        plain = parse_yaml(value, "v")
    except ConfigError:
        assert by_set is None
        return
    by_python = outcome(lambda: [Setting(key, plain.data, "Python", plain.text())])
    assert by_python == by_set


@pytest.mark.parametrize(("script", "flag", "nargs"), FLAGS, ids=lambda v: str(v))
def test_numbers_of_every_flag(script, flag, nargs):
    for value in ("nan", "inf", "-1", "1e400", "9" * 5000, " ", "0x10", "a\0b"):
        check_flag(script, flag, nargs, value)


@pytest.mark.parametrize("key", [key for key, _, _ in KNOBS])
def test_every_knob_by_every_way(key):
    for value in ("nan", ".inf", "-1", "1e400", "9" * 5000, "true", "[1]", "010", "12:30", "null", "x"):
        check_knob(key, value)


@pytest.mark.faults
@pytest.mark.parametrize("case", CASES_OF_FLAGS, ids=lambda c: f"{c[0]} {c[1]} {ascii(c[3])[:30]}")
def test_every_flag_with_every_value(case):
    check_flag(*case)


@pytest.mark.faults
@pytest.mark.parametrize(("key", "value"), [(key, v) for key, _, _ in KNOBS for v in POOL], ids=lambda v: ascii(v)[:40])
def test_every_knob_with_every_value(key, value):
    check_knob(key, value)


@pytest.mark.faults
@pytest.mark.parametrize("script", ["train.py", "val.py", "detect.py"])
@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_command_lines_of_anything(script, data):
    flags = [flag for name, flag, _ in FLAGS if name == script]
    words = data.draw(st.lists(st.one_of(st.sampled_from(flags), st.sampled_from(POOL), st.text()), max_size=8))
    try:
        PARSERS[script](words)
    except ConfigError as error:
        assert len(str(error)) < 900
    except SystemExit as leaving:  # --help
        assert leaving.code == 0


def test_numbers_without_a_range_are_none():
    """A knob that takes numbers has a range: a new one without would be taken however large."""
    for key, section, name in KNOBS:
        hint = typing.get_type_hints(section)[name]
        inner = typing.get_args(hint) or (hint,)
        if int in inner or float in inner:
            assert field_range(section, name) is not None, key


ROWS = [(script, row, flag) for script, rows in IDLE.items() for row in rows for flag in row.flags]


@pytest.mark.parametrize(("script", "row", "flag"), ROWS, ids=lambda v: v if isinstance(v, str) else "")
def test_flags_without_effect_are_refused(script, row, flag):
    known = {a.option_strings[0]: a for a in all_actions(script)}
    example = {"--match": "iou", "--cost": "escape=1,overkill=1", "--balance": "none", "--bins": "0,8"}

    def words(name):
        name, _, value = name.partition(" ")
        return [name] if known[name].nargs == 0 else [name, value or example.get(name, "1")]

    for beside in row.beside or ("",):
        given = [*words(flag), *(words(beside) if beside else [])]
        with pytest.raises(ConfigError, match=f"{flag}: has no effect here"):
            PARSERS[script](given)
        for other in row.unless:
            PARSERS[script]([*given, *words(other)])


@pytest.mark.parametrize("script", MODES)
def test_modes_refuse_the_flags_of_others(script):
    known = {a.option_strings[0]: a for a in all_actions(script)}

    def words(action):
        value = {"--match": "iou", "--task": "val", "--bad-data": "skip"}.get(action.option_strings[0], "1")
        return [action.option_strings[0], *[value] * (1 if action.nargs in (None, "+") else action.nargs)]

    for mode in MODES[script]:
        assert {mode.flag, *mode.used} <= set(known)
        for flag in set(known) - {mode.flag, *mode.used, "-h", *(other.flag for other in MODES[script])}:
            with pytest.raises(ConfigError, match=f"{flag}: has no meaning with {mode.flag}"):
                PARSERS[script]([*words(known[mode.flag]), *words(known[flag])])


def all_actions(script):
    held = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Parser, "read", lambda self, argv: held.append(self) or {}["stop"])
        with pytest.raises(KeyError):
            PARSERS[script]([])
    return held[0]._actions


YOLOV5 = [
    ("train.py", "--img 640 --batch 16 --epochs 3 --data coco128.yaml --weights yolov5s.pt --cache --device cpu"),
    (
        "train.py",
        "--img 640 --batch-size -1 --data x.yaml --weights= --cfg y.yaml --workers 0 --save-period -1 --freeze 10",
    ),
    ("train.py", "--nosave --noval --noplots --exist-ok --image-weights --multi-scale --single-cls --sync-bn"),
    (
        "val.py",
        "--weights x.pt --data y.yaml --img 640 --half --save-txt --save-conf --save-json --iou 0.65 --conf 0.001",
    ),
    ("val.py", "--weights x.pt --data y.yaml --task speed --batch 1 --device cpu --workers 4"),
    ("detect.py", "--weights x.pt --source 0.jpg --img 640 --conf 0.25 --save-txt --save-conf --save-crop --nosave"),
    (
        "detect.py",
        "--weights x.pt --source a --view-img --classes 0 2 --half --line-thickness 3 --hide-labels --hide-conf",
    ),
]


@pytest.mark.parametrize(("script", "line"), YOLOV5)
def test_what_yolov5s_users_type_is_taken(script, line):
    PARSERS[script](line.split())


# --- YAML ------------------------------------------------------------------------------------------------------------

SCALARS = st.one_of(
    st.sampled_from(
        [*POOL, "!!int 08", "!!float .", "!!timestamp x", "!!bool x", "<<", "0b", "1:60:60", "=", "%a", "@a"]
    ),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(SCALARS, inner, max_size=4), max_leaves=12
)


def read_as_anything(document, folder):
    """A document as each of the kinds that it may be; only a UserError may come out."""
    for read in (
        parse_spec,
        lambda d: build_config(settings_of_document(d)),
        lambda d: describe(d, (), "", []),
    ):
        try:
            read(dataclasses.replace(document, path=folder / "x.yaml"))
        except UserError as error:
            assert "\n" not in str(error) and len(str(error)) < 2000


def check_text(text, folder):
    started = time.perf_counter()
    try:
        document = parse_yaml(text, "x.yaml")
    except ConfigError as error:
        assert str(error).startswith("x.yaml") and "\n" not in str(error)
    else:
        read_as_anything(document, folder)
    assert time.perf_counter() - started < QUICK


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet="ab:- \n[]{}!&*<>|#%@'\"\\0129.,~?\t", max_size=60))
def test_yaml_like_text(text, tmp_path_factory):
    check_text(text, tmp_path_factory.getbasetemp())


@pytest.mark.faults
@settings(max_examples=4000, suppress_health_check=list(HealthCheck))
@given(text=st.text(alphabet="ab:- \n[]{}!&*<>|#%@'\"\\0129.,~?\t图", max_size=200) | st.binary(max_size=80))
def test_much_yaml_like_text(text, tmp_path_factory):
    check_text(text, tmp_path_factory.getbasetemp())


KEYS = ["path", "train", "val", "names", "nc", "labels", "annotations", "remap", "channels", "polar", "mm_per_px"]
KEYS += [
    "bit_depth",
    "files",
    "optim",
    "lr0",
    "data",
    "backbone",
    "head",
    "anchors",
    "depth_multiple",
    "width_multiple",
]


@pytest.mark.faults
@settings(max_examples=1500, suppress_health_check=list(HealthCheck))
@given(tree=st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6))
def test_trees_of_anything(tree, tmp_path_factory):
    read_as_anything(Document(Path("x.yaml"), tree, {}), tmp_path_factory.getbasetemp())


# --- model YAMLs -----------------------------------------------------------------------------------------------------

SMALL = """nc: 5
width_multiple: {width}
depth_multiple: {depth}
backbone:
  - [image, 1, Conv, [{channels}, {kernel}, {stride}]]
  - [-1, {repeats}, C3, [{channels}]]
  - [-1, 1, Upsample, [{scale}]]
head:
  - [[1], 1, AnchorDetect, [$nc, {anchors}]]
"""
PLAIN = dict(width=1, depth=1, channels=8, kernel=3, stride=8, repeats=1, scale=2, anchors=[[9, 9, 20, 20]])
LARGE = [10**9, 1e9, 2**62, 10**6, 65_536, 5000, 0, -1, -(10**9), ".nan", ".inf", "9" * 40, "x", True, "[1]", 1e-9]
BOMBS = [(key, value) for key in PLAIN for value in LARGE]
BOMBS += [("anchors", a) for a in ([[0, 9]], [[-1, 9]], [[9]], [[]], [], [[9, 9], [9, 9]], [[1e9, 1]], [[9] * 2000])]


@pytest.mark.parametrize(("key", "value"), BOMBS, ids=lambda v: str(v)[:20])
def test_a_model_yaml_that_asks_for_too_much(key, value):
    used, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        build_graph(parse_spec(parse_yaml(SMALL.format(**{**PLAIN, key: value}), "m.yaml")))
    except ConfigError as error:
        assert str(error).startswith("m.yaml:") and "\n" not in str(error)
    assert time.process_time() - started < QUICK  # of the processor: the machine may be busy
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 1_000_000  # KiB


MODELS = [p for p in sorted((Path(train.__file__).parent / "cfg" / "models").glob("*.yaml")) if "rtvp" not in p.name]
JUNK = [
    1e9,
    10**9,
    -1,
    0,
    65_536,
    1000,
    3.5,
    float("nan"),
    True,
    None,
    "x",
    "$nc",
    "",
    [],
    {},
    {"kernel": 10**5},
    "9" * 50,
]


def places(value, path=()):
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(300))
def test_a_changed_value_of_a_shipped_network(seed):
    draw = random.Random(seed)
    path = draw.choice(MODELS)
    content = read_yaml(path).data
    *way, last = draw.choice([place for place in places(content) if place])
    inner = content
    for key in way:
        inner = inner[key]
    inner[last] = draw.choice(JUNK)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        build_graph(parse_spec(Document(path, content, {})))
    except ConfigError as error:
        assert "\n" not in str(error) and len(str(error)) < 900
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used < 1_000_000


# --- files -----------------------------------------------------------------------------------------------------------

READERS = {
    "YAML": read_yaml,
    "thresholds": lambda path: read_limits(str(path), ("a",)),
    "mapping": lambda path: read_class_mapping(str(path) + ("" if path.suffix else ".yaml")),
    "synonyms": read_synonyms,
    "predictions": read_json,
    "names": read_name_file,
    "list": lambda path: [read_image(source.path) for source in find_sources(str(path))],
    "picture": read_image,
}
ODD = ("pipe", "folder", "loop", "dangling", "socket", "device", "endless", "long", "empty", "secret")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """What is no file with content, by its kind."""
    home = tmp_path_factory.mktemp("odd")
    os.mkfifo(home / "pipe.txt")
    (home / "folder.txt").mkdir()
    (home / "loop.txt").symlink_to("loop.txt")
    (home / "dangling.txt").symlink_to("nothing")
    (home / "empty.txt").touch()
    (home / "device.txt").symlink_to("/dev/zero")
    (home / "endless.txt").symlink_to("/proc/kmsg")
    (home / "secret.txt").symlink_to("/proc/self/mem")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(home / "socket.txt"))
        yield home


@pytest.mark.parametrize(("reader", "kind"), list(itertools.product(READERS, ODD)))
def test_no_reader_waits_for_what_is_no_file(odd, reader, kind):
    started = time.perf_counter()
    path = odd / (f"{kind}.txt" if kind != "long" else "x" * 300)
    with contextlib.suppress(UserError):
        READERS[reader](path)  # of the kernel's files, which say that they are empty, nothing is read
    assert time.perf_counter() - started < QUICK


# --- the Detector ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector(trained):
    return detect.Detector(trained / "weights" / "best.pt", device="cpu")


def test_every_form_of_a_picture_gives_the_same_detections(detector, glass):
    from PIL import Image

    path = sorted((glass.parent / "images" / "val").iterdir())[0]
    image = read_image(path)
    expected = detector(path, conf=0.001)
    assert len(expected)
    forms = [
        str(path),
        image,
        image[::-1].copy()[::-1],
        image / 255,
        (image / 255).astype(np.float16),
        Image.open(path),
    ]
    forms += [
        torch.from_numpy(image),
        torch.from_numpy(image).permute(2, 0, 1) / 255,
        np.dstack((image, image[..., 0])),
    ]
    for form in forms:
        found = detector(form, conf=0.001)
        assert torch.equal(found.boxes, expected.boxes) and torch.equal(found.scores, expected.scores)
    assert detector.verdict(image, 0.001) == detector.verdict(path, 0.001)
    detector.bgr = True
    try:
        assert torch.equal(detector(image[..., ::-1], conf=0.001).boxes, expected.boxes)
    finally:
        detector.bgr = False


VALUES = [
    float("nan"),
    float("inf"),
    -1,
    -0.1,
    2**70,
    "0.5",
    None,
    True,
    [0.5],
    1e400,
    10**400,
    np.float64("nan"),
    b"1",
]


@pytest.mark.parametrize("name", ["conf", "iou", "max_det"])
@pytest.mark.parametrize("value", VALUES, ids=lambda v: ascii(v)[:20])
def test_values_of_a_call(detector, name, value):
    if value is None:
        return  # as if it were not given
    with pytest.raises(ConfigError, match=f"{name} must be"):
        detector(np.zeros((32, 32, 3), np.uint8), **{name: value})


@pytest.mark.parametrize("value", [*VALUES, 0, 31, 20_000, 640.0], ids=lambda v: ascii(v)[:20])
def test_input_size_of_a_detector(trained, value):
    if value is not None:
        with pytest.raises(ConfigError, match="imgsz must be"):
            detect.Detector(trained / "weights" / "best.pt", device="cpu", imgsz=value)


@pytest.mark.parametrize("weights", ["", " ", None, 3, b"x.pt", "x" * 5000, "a\0b", ".", "/", "/dev/zero"])
def test_weights_of_a_detector(weights):
    with pytest.raises(UserError):
        detect.Detector(weights, device="cpu")


@pytest.mark.parametrize("device", ["gpu", "cuda:99999999999", "9" * 5000, "-1", 99, "cpu,cpu", "\0", "²"])
def test_devices_of_a_detector(trained, device):
    with pytest.raises(UserError):
        detect.Detector(trained / "weights" / "best.pt", device=device)


# --- whole scripts ---------------------------------------------------------------------------------------------------


def test_too_large_a_network_input_is_refused_not_killed(trained, glass, capsys, monkeypatch):
    monkeypatch.chdir(trained.parents[2])
    monkeypatch.setattr("models.ready.footprint.free_memory", lambda: 1 << 30)
    start = ["--device", "cpu", "--img", "16384"]
    assert train.main([*start, "--data", str(glass), "--cfg", "idfe-net-n", "--batch", "64", "--workers", "0"]) == 6
    assert val.main([*start, "--batch", "6"]) == 6
    assert detect.main(start) == 6
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and all("--img 16384: " in line and "GiB are free" in line for line in said)


SCRIPTS = {"train.py": train.main, "val.py": val.main, "detect.py": detect.main}


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(90))
def test_scripts_with_a_hostile_value(trained, glass, monkeypatch, capsys, seed):
    """A script with one flag of any value ends with an exit code, and says one line if it ends badly."""
    monkeypatch.chdir(trained.parents[2])
    draw = random.Random(seed)
    script, flag, nargs = draw.choice([flag for flag in FLAGS if flag[0] in SCRIPTS and flag[1] not in ("--source",)])
    value = draw.choice([v for v in POOL if "\n" not in v])
    words = [flag] + [value] * (nargs if isinstance(nargs, int) else 1)
    start = {"train.py": ["--data", str(glass), "--cfg", "idfe-net-n", "--img", "96", "--batch", "4", "--workers", "0"]}
    monkeypatch.setattr("utils.processes.launch.run.run", lambda words: None)  # several processes are not the matter
    code = SCRIPTS[script]([*start.get(script, []), *(["--dry-run"] if script == "train.py" else []), *words])
    said = capsys.readouterr().err
    assert code in (0, 2, 3, 4, 6), said
    assert "Traceback" not in said and (code == 0 or said.count("error[") == 1)


GIVEN = [
    *[("half", v) for v in ("yes", "no", 1, None)],
    *[("static", v) for v in ("x", 0, None)],
    *[("masks", v) for v in (1, "False", [])],
    *[("bgr", v) for v in ("rgb", "no", None, 0)],
    *[("text_encoder", v) for v in ("x", None, 3)],
    *[("sam", v) for v in (None, 3, b"x")],
    *[("prompts", v) for v in (3, b"x", ["a"])],
]


@pytest.mark.parametrize(("name", "value"), GIVEN, ids=lambda v: ascii(v)[:20])
def test_what_a_detector_is_given_is_not_guessed(trained, name, value):
    with pytest.raises(ConfigError, match=name):
        detect.Detector(trained / "weights" / "best.pt", device="cpu", **{name: value})


@pytest.mark.parametrize(
    "value", [None, 3, "", " ", b"x", "a\0b", "x" * 5000, ["a"], Path("nope"), "nope.yaml"], ids=ascii
)
@pytest.mark.parametrize("method", ["use_data", "use_thresholds", "read", "verdict"])
def test_paths_that_a_detector_is_given(detector, method, value):
    before = (detector.names, detector.order, detector.channels, detector.limits)
    with pytest.raises(UserError) as caught:
        getattr(detector, method)(value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 6000
    assert all(
        a is b
        for a, b in zip(before, (detector.names, detector.order, detector.channels, detector.limits), strict=True)
    )


def test_a_detector_takes_paths_of_either_kind(detector, glass):
    assert detector.use_data(glass) == detector.use_data(str(glass))
    picture = sorted((glass.parent / "images" / "val").iterdir())[0]
    assert np.array_equal(detector.read(str(picture)), detector.read(picture))
