"""What the flags of a plan come to: the configuration of a training, and whether two are the same training."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.config.config import Config
from utils.config.idle_knobs import NetworkTraits, check_knobs, idle_knobs
from utils.config.paths import find_yaml, yaml_as_given
from utils.config.settings import settings_of_assignments
from utils.flags.looking_flags import AUTO
from utils.flags.train_config import configure
from utils.flags.train_flags import TrainFlags, parse_train
from utils.words.errors import ConfigError

_PLACE = "a study decides where its runs lie (--out); take it out"
DECIDED = {
    **dict.fromkeys(("run.project", "run.name", "run.exist_ok"), _PLACE),
    "run.seed": "`seeds` lists the seeds; take it out",
    "data.root": "is another on each machine; give --root NAME=FOLDER to the command instead",
}
# What belongs to the machine, to where a run lies or to what it shows, and changes its numbers by rounding at most. All
# else is what a run is: --nproc, --nosave, --amp and --max-time, too, which decide what is learnt and scored.
ELSEWHERE = frozenset(
    "data.root data.workers data.cache data.index run.device run.timeout run.project run.name run.exist_ok "
    "run.save_period run.save_steps run.noplots run.log run.full_paths".split()
)
# Files, which may be named in several ways, and where they are looked up in cfg.
FILES = {"data.data": "data", "model.cfg": "models", "model.weights": "", "model.glossary": "", "model.sam": ""}
STRIDE = 32  # of a network of which nothing is known


@dataclass(frozen=True)
class NetworkFacts:
    """What a plan must know of a network: which knobs act on it, and its largest stride, px, to whole cells of which
    train.py rounds --img up.
    """

    traits: NetworkTraits
    stride: int


Look = Callable[[Config], NetworkFacts]  # at the network that a training is planned with


def check_flags(words: Sequence[str]) -> TrainFlags:
    """The flags of train.py that `words` are. Raises ConfigError for what train.py refuses, or a study decides."""
    if {"-h", "--help"} & {*words}:
        raise ConfigError("--help: does nothing in a plan; take it out")
    flags = parse_train(words)
    modes = {"--resume": flags.resume is not None, "--demo": flags.demo, "--dry-run": flags.dry_run}
    for name, given in {**modes, "--local_rank": flags.local_rank is not None}.items():
        if given:
            raise ConfigError(f"{name}: is not for the trainings of a study; take it out")
    for setting in (*flags.settings, *settings_of_assignments(list(flags.assignments))):
        if setting.key in DECIDED:
            raise ConfigError(f"{setting.origin.partition('=')[0]}: {DECIDED[setting.key]}")
    return flags


def planned_config(words: Sequence[str]) -> Config:
    """The configuration of a training by its flags. Raises ConfigError."""
    return configure(parse_train(words), _network_of)[0]


def checked_config(words: Sequence[str], look: Look | None) -> tuple[Config, NetworkFacts | None]:
    """The same, and what `look` tells of its network. Raises ConfigError also for files that are not there and, once
    the network was looked at, for flags that do nothing to it.
    """
    cfg, origins = configure(parse_train(words), _network_of)
    if not cfg.data.data:
        raise ConfigError("no --data; name the data YAML or the folder")
    if not os.path.isdir(cfg.data.data):
        find_yaml(cfg.data.data, "data", "--data")
    if cfg.model.cfg:
        find_yaml(cfg.model.cfg, "models", "--cfg")
    facts = look(cfg) if look and cfg.model.cfg else None
    if facts:
        check_knobs(cfg, origins, facts.traits)
    return cfg, facts


def unasked_differences(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """`optim.name SGD, AdamW`: by what two trainings differ though no flag of theirs says so, because the names of
    their networks stand for other files of cfg/train. Raises ConfigError.
    """
    first, its_origins = configure(parse_train(one), _network_of)
    second, origins = configure(parse_train(other), _network_of)
    pairs = _differences(first, second, None, lambda key, mine, yours: mine == yours)
    asked = {key for known in (its_origins, origins) for key, origin in known.items() if origin.startswith("-")}
    return [f"{key} {mine}, {yours}" for key, mine, yours in pairs if key not in asked]


def _network_of(weights: str) -> str:
    raise ConfigError(f"--weights {weights}: a plan does not look into checkpoints; give the arm a --cfg, too")


def same_training(one: Config, other: Config, facts: NetworkFacts | None = None) -> bool:
    """Whether two plans of a training of one network are one and the same."""
    return not _differences(one, other, facts, lambda key, mine, yours: mine == yours or _same_name(key, mine, yours))


def first_difference(
    planned: Config, own: Config, facts: NetworkFacts | None = None
) -> tuple[str, Any, Any] | tuple[()]:
    """The first key by which a run with the configuration `own` is not the planned one, and both values; () for none.

    `own` may have in the place of a planned value what train.py makes of it: a number of --batch -1 and --tile auto,
    --img rounded up to whole cells. A knob that does nothing to the network may have any value.
    """
    stride = facts.stride if facts else STRIDE

    def settled(key: str, mine: Any, yours: Any) -> bool:
        if key in ("data.batch_size", "data.tile") and mine == AUTO:
            return True
        if key == "data.imgsz":
            return bool(yours in (mine, -(-mine // stride) * stride))
        return mine == yours or _same_name(key, mine, yours)

    return next(iter(_differences(planned, own, facts, settled)), ())


def _differences(
    planned: Config, own: Config, facts: NetworkFacts | None, same: Callable[[str, Any, Any], bool]
) -> list[tuple[str, Any, Any]]:
    idle: Collection[str] = idle_knobs(planned, facts.traits) if facts else ()
    theirs, found = own.plain(), []
    for section, values in planned.plain().items():
        for name, value in values.items():
            key, mine = f"{section}.{name}", theirs[section][name]
            if key not in ELSEWHERE and key not in idle and not same(key, value, mine):
                found.append((key, value, mine))
    return found


def _same_name(key: str, planned: Any, own: Any) -> bool:
    return key in FILES and _same_file(key, planned, own)


def _same_file(key: str, planned: str, own: str) -> bool:
    """Whether two names mean one file. One that is not on this machine counts by its last part: the run was moved."""
    if not planned or not own:
        return False
    here, there = _found(planned, FILES[key]), _found(own, FILES[key])
    if here and there:
        return os.path.samefile(here, there)
    return os.path.isabs(own) and not there and Path(planned).name == Path(own.replace("\\", "/")).name


def _found(name: str, kind: str) -> Path | None:
    if os.path.exists(name):
        return Path(name)
    return yaml_as_given(name, kind) if kind else None
