"""A plan of trainings: data sets x arms x seeds, and the questions that they answer, read from a YAML of the user's.

title: Does each stream help?
train: --epochs 15 --noval                       # flags of train.py that all runs share
data:                                            # a short name, and the flags that it adds
  neu-det: --data neu-det.yaml --img 160
arms:                                            # what is compared: the same
  both: --cfg idfe-net-free-n.yaml
  edge: --cfg ablations/free-edge-n.yaml
seeds: [0, 1, 2]
compare:                                         # a question: from this arm to that one
  Does the context stream help?: [edge, both]
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from utils.config.config import Config, RunConfig
from utils.config.paths import find_yaml
from utils.config.ranges import range_of
from utils.files.output_paths import keep_out_of_layouts
from utils.studies.planned_config import Look, NetworkFacts, check_flags, checked_config, same_training
from utils.words.errors import ConfigError, printable
from utils.words.text import did_you_mean, shorten, shown
from utils.words.yamlio import Document, Key, read_yaml

KEYS = ("title", "train", "data", "arms", "seeds", "compare")
EXAMPLE = "see cfg/studies/README.md"
MOST_RUNS = 10_000
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,59}")


@dataclass(frozen=True)
class PlannedRun:
    """One training: `words` are train.py's flags without --project, --name and data.root; `folder` is its run folder,
    which may not exist yet; `facts` of its network, where it was looked at.
    """

    data: str
    arm: str
    seed: int
    words: tuple[str, ...]
    folder: Path
    facts: NetworkFacts | None = field(default=None, compare=False)

    @property
    def command(self) -> str:
        """What a user would type."""
        return shlex.join(["python", "train.py", *self.words])

    @property
    def label(self) -> str:
        """Its name in messages."""
        return f"{self.data}, {self.arm}, seed {self.seed}"


@dataclass(frozen=True)
class Comparison:
    """A question that the difference from the arm `first` to the arm `second` answers."""

    question: str
    first: str
    second: str


@dataclass(frozen=True)
class Plan:
    """Trainings in the order in which they run, seeds outermost, so that a table is balanced as soon as it has rows.

    `path`: as the user named it; `out`: the folder of all runs and tables; `roots`: where data sets lie, by their short
    name, where it was said.
    """

    title: str
    path: str
    out: Path
    data: tuple[str, ...]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    runs: tuple[PlannedRun, ...]
    comparisons: tuple[Comparison, ...]
    roots: Mapping[str, str]


def read_plan(
    path: str | Path, out: str = "", roots: Mapping[str, str] | None = None, look: Look | None = None
) -> Plan:
    """The plan of a YAML file, of which the name suffices in cfg/studies, whose runs go to `out` (default: runs/study/
    and its name). `roots`: a folder by data set, or by "" where there is one only. Every training's flags are checked,
    with `look` also whether they do anything to its network.

    Raises ConfigError with file and line.
    """
    found = find_yaml(str(path), "studies", "plan")
    document = read_yaml(found)
    content = _content(document)
    place = Path(out or Path("runs") / "study" / found.stem)
    keep_out_of_layouts(place, "--out")
    train = _words(document, content.get("train"), "train")
    data, arms = _named_words(document, content, "data"), _named_words(document, content, "arms")
    seeds = _seeds(document, content)
    if len(data) * len(arms) * len(seeds) > MOST_RUNS:
        raise document.error(f"{len(data) * len(arms) * len(seeds):,} trainings; at most {MOST_RUNS:,} are possible")
    facts = _check_trainings(document, train, data, arms, look)
    runs = tuple(
        PlannedRun(
            *(name, arm, seed, (*train, *flags, *more, "--seed", str(seed))),
            *(place / name / arm / f"seed{seed}", facts[name, arm]),
        )
        for seed in seeds
        for name, flags in data.items()
        for arm, more in arms.items()
    )
    return Plan(
        title=_title(document, content, found.stem),
        path=str(path),
        out=place,
        data=tuple(data),
        arms=tuple(arms),
        seeds=seeds,
        runs=runs,
        comparisons=_comparisons(document, content, tuple(arms)),
        roots=_roots(roots or {}, tuple(data)),
    )


def _content(document: Document) -> dict[Key, Any]:
    content = document.data
    if not isinstance(content, dict):
        raise document.error(f"not a plan of a study, which has the keys {', '.join(KEYS)}; {EXAMPLE}")
    for key in content:
        if key not in KEYS:
            known = did_you_mean(str(key), KEYS) or f"; known are {', '.join(KEYS)}"
            raise document.error(f"unknown key '{shorten(str(key))}'{known}", key)
    for key in ("data", "arms", "seeds"):
        if not content.get(key):
            raise document.error(f"`{key}` is missing or empty; {EXAMPLE}", key)
    return content


def _title(document: Document, content: Mapping[Key, Any], name: str) -> str:
    if content.get("title") is None:
        return name
    title = document.text("title") or ""
    if not title.strip() or len(title) > 200:
        raise document.error("`title` must be a line of text of at most 200 letters; shorten it", "title")
    return printable(" ".join(title.split()))


def _words(document: Document, flags: Any, *keys: Key) -> tuple[str, ...]:
    """Flags as a shell would split them; nothing is expanded, and no shell is run."""
    if flags is None:
        return ()
    if not isinstance(flags, str):
        raise document.error(f"flags of train.py are text, such as --epochs 15, not {shown(flags)}; write text", *keys)
    try:
        return tuple(shlex.split(flags))
    except ValueError as error:
        raise document.error(f"{shorten(flags)}: {str(error).lower()}; close the quote", *keys) from error


def _named_words(document: Document, content: Mapping[Key, Any], key: str) -> dict[str, tuple[str, ...]]:
    """A map of short names and flags."""
    if not isinstance(content[key], dict):
        raise document.error(f"`{key}` must be a map: a short name, and the flags that it adds; {EXAMPLE}", key)
    found: dict[str, tuple[str, ...]] = {}
    for name, flags in content[key].items():
        text, where = str(name), (key, name)
        if not _NAME.fullmatch(text) or (key == "data" and text.lower().startswith("study.")):
            allowed = "letters, digits, -, _ and ., at most 60, not a dot first, nor study. in front"
            raise document.error(f"{shown(text)} becomes a folder and must have {allowed}; rename it", *where)
        if twin := next((one for one in found if one.lower() == text.lower()), ""):
            raise document.error(f"'{text}' and '{twin}' are one folder on some disks; rename one", *where)
        found[text] = _words(document, flags, *where)
    return found


def _seeds(document: Document, content: Mapping[Key, Any]) -> tuple[int, ...]:
    seeds = content["seeds"]
    if not isinstance(seeds, list):
        raise document.error(f"`seeds` must be a list such as [0, 1, 2], not {shown(seeds)}; write a list", "seeds")
    taken = range_of(RunConfig, "seed")
    for place, seed in enumerate(seeds):
        where = ("seeds", place)
        if not isinstance(seed, int) or isinstance(seed, bool) or not taken.holds(seed):
            raise document.error(f"a seed must be a whole number {taken}, not {shown(seed)}; mend it", *where)
        if seed in seeds[:place]:
            raise document.error(f"seed {seed} is there twice; it would give the same run, take one out", *where)
    return tuple(seeds)


def _comparisons(document: Document, content: Mapping[Key, Any], arms: tuple[str, ...]) -> tuple[Comparison, ...]:
    asked = content.get("compare")
    if asked is None:
        return ()
    form = "is a question and two arms, [from, to]"
    if not isinstance(asked, dict) or not asked:
        raise document.error(f"`compare` must be a map: each line {form}; {EXAMPLE}", "compare")
    found = []
    for question, pair in asked.items():
        where = ("compare", question)
        text = printable(" ".join(str(question).split()))
        if not text or len(text) > 200 or not isinstance(pair, list) or len(pair) != 2:
            raise document.error(f"a line of `compare` {form}, such as Does it help?: [without, with]; mend it", *where)
        if any(isinstance(name, bool) for name in pair):
            raise document.error("YAML reads on, off, yes and no as true and false; put quotes around the name", *where)
        first, second = (str(name) for name in pair)
        for name in (first, second):
            if name not in arms:
                near = did_you_mean(name, arms) or f"; there are {', '.join(arms)}"
                raise document.error(f"there is no arm {shown(name)}{near}", *where)
        if first == second:
            raise document.error(f"'{first}' is compared with itself; name two arms", *where)
        found.append(Comparison(text, first, second))
    return tuple(found)


def _roots(given: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    roots = {}
    for name, folder in given.items():
        if not name and len(names) > 1:
            raise ConfigError(f"--root {printable(folder)}: of which data set? give --root {names[0]}=FOLDER")
        name = name or names[0]
        if name not in names:
            near = did_you_mean(name, names) or f"; the plan has {', '.join(names)}"
            raise ConfigError(f"--root {printable(name)}={printable(folder)}: no data set of the plan{near}")
        if not os.path.isdir(folder):
            raise ConfigError(f"--root {name}={printable(folder)}: no such folder; say where the data set lies")
        roots[name] = folder
    return roots


def _check_trainings(
    document: Document,
    train: tuple[str, ...],
    data: Mapping[str, tuple[str, ...]],
    arms: Mapping[str, tuple[str, ...]],
    look: Look | None,
) -> dict[tuple[str, str], NetworkFacts | None]:
    """What is known of the network of each data set and arm. Raises ConfigError for flags that train.py or a study
    refuse, at the line where they come in.
    """
    found: dict[tuple[str, str], NetworkFacts | None] = {}
    with _at(document, "train", ("train",)):
        check_flags(train)
    for name, flags in data.items():
        with _at(document, f"data '{name}'", ("data", name)):
            check_flags((*train, *flags))
        known: dict[str, Config] = {}
        for arm, more in arms.items():
            words, where = (*train, *flags, *more), ("arms", arm)
            with _at(document, f"arm '{arm}' on '{name}'", where):
                check_flags(words)
                cfg, facts = checked_config(words, look)
            if twin := next((one for one, other in known.items() if same_training(cfg, other, facts)), ""):
                raise document.error(f"on '{name}' arm '{arm}' is the same training as '{twin}'; leave one out", *where)
            known[arm], found[name, arm] = cfg, facts
    return found


@contextmanager
def _at(document: Document, what: str, keys: tuple[Key, ...]) -> Iterator[None]:
    """A ConfigError of the block names the line of the plan."""
    try:
        yield
    except ConfigError as error:
        raise document.error(f"{what}: {error}", *keys) from error
