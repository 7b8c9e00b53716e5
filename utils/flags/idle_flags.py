"""Flags that would do nothing beside others, or without them: refused, so that nobody waits for what never comes.

What depends on the machine is no mistake: --half on a CPU stays a notice, --device and --workers go with everything.
Nor is what is done anyway: --save-json of val.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from utils.words.errors import ConfigError


@dataclass(frozen=True)
class Idle:
    """`flags` do nothing beside one of `beside` (none: beside anything), unless one of `unless` is given as well."""

    flags: tuple[str, ...]
    why: str
    beside: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mode:
    """A flag that makes a script do something else, for which only the flags `used` mean something."""

    flag: str
    used: tuple[str, ...]
    why: str


_INSPECTION = (
    *("--fa-per-image", "--max-overkill", "--max-escape", "--cost", "--match", "--match-iou", "--bins", "--thresholds"),
    *("--false-yes", "--false-no", "--roi"),
)
_SCORED = ("--save-txt", "--verbose", *_INSPECTION)
_ANYWHERE = ("--device", "--workers", "--debug")
_RUN = ("--project", "--name", "--exist-ok", *_ANYWHERE)
_NO_PROMPTS = "reads the words of --prompts, which is not given"
_ASKING = ("--ask", "--ask-file")
_ONE_GLOSSARY = Idle(("--glossary",), "--no-glossary takes the names alone; leave one out", ("--no-glossary",))
_CONFIDENCES = Idle(("--save-conf",), "adds confidences to the files of --save-txt; add that", (), ("--save-txt",))

IDLE: dict[str, tuple[Idle, ...]] = {
    "train.py": (
        Idle(("--save-period",), "--nosave writes only the last checkpoint; leave one out", ("--nosave",)),
        Idle(("--patience",), "--noval evaluates only after the last epoch; leave one out", ("--noval",)),
        _ONE_GLOSSARY,
        Idle(("--image-weights",), "is another word for --balance repeat; leave one out", ("--balance",)),
    ),
    "val.py": (
        _CONFIDENCES,
        _ONE_GLOSSARY,
        Idle(("--cfg",), "names a network for --summary; a checkpoint has its own; leave it out", (), ("--summary",)),
        Idle(
            ("--fa-per-image", "--max-overkill", "--max-escape", "--cost", "--false-yes", "--false-no"),
            "--thresholds names the thresholds; leave one out",
            ("--thresholds",),
        ),
        Idle(("--seed",), "--questions names the questions; leave one out", ("--questions",)),
        Idle(("--questions", "--seed"), "is of questions; add --task vqa", (), ("--task vqa",)),
        Idle(("--single-cls", "--unknown"), "--task vqa asks of the data's classes; leave it out", ("--task vqa",)),
        Idle(_SCORED, "--task speed measures time and scores nothing; leave it out", ("--task speed",)),
    ),
    "detect.py": (
        _CONFIDENCES,
        Idle(
            ("--masks",),
            "are drawn, which --nosave leaves out, or written by --save-json and --save-labels coco",
            ("--nosave",),
            ("--save-json", "--save-labels coco"),
        ),
        Idle(
            ("--hide-labels", "--hide-conf", "--line-thickness"),
            "is for the pictures, which --nosave leaves out",
            ("--nosave",),
        ),
        Idle(("--explain",), "writes pictures, which --nosave leaves out", ("--nosave",)),
        Idle(("--conf-thres",), "--thresholds has a confidence for each class; leave one out", ("--thresholds",)),
        Idle(("--token-file",), "is of the page in the browser; add --serve", (), ("--serve",)),
        Idle(("--text-encoder",), _NO_PROMPTS, (), ("--prompts", "--unknown", *_ASKING)),
        Idle(("--glossary", "--no-glossary"), _NO_PROMPTS, (), ("--prompts",)),
        Idle(("--severity",), "answers questions of --ask, and none is asked", (), _ASKING),
        Idle(("--classes", "--agnostic-nms"), "hides what questions ask of; leave it out", _ASKING),
        _ONE_GLOSSARY,
    ),
}
MODES: dict[str, tuple[Mode, ...]] = {
    "val.py": (
        Mode(
            "--summary", ("--cfg", "--imgsz", *_ANYWHERE), "which prints the rows of a model YAML and evaluates nothing"
        ),
        Mode("--compare", _RUN, "which compares two finished runs as they are"),
        Mode(
            "--from-preds",
            (*_RUN, "--data", "--task", "--bad-data", "--allow-empty", "--single-cls", "--set", "--max-pixels")
            + ("--noplots", "--save-json", "--verbose", "--questions", "--seed", *_INSPECTION),
            "whose detections are ready made",
        ),
    ),
}


def refuse_idle(script: str, given: Mapping[str, str], settings: Collection[str] = ()) -> None:
    """Raise ConfigError for the first flag of a command line that does nothing.

    `given`: the first name of each flag, and how it was typed; `settings`: flags with their value (`--task speed`).
    """
    for mode in MODES.get(script, ()):
        for name, typed in given.items() if mode.flag in given else ():
            if name != mode.flag and name not in mode.used:
                raise ConfigError(f"{typed}: has no meaning with {mode.flag}, {mode.why}; leave it out")
    words = {*given, *settings}
    for idle in IDLE.get(script, ()):
        if (not idle.beside or words & {*idle.beside}) and not words & {*idle.unless}:
            for name in idle.flags:
                if name in given:
                    raise ConfigError(f"{given[name]}: has no effect here: {idle.why}")
