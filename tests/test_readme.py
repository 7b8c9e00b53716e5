"""What the README promises: its commands parse, its files exist, its set-up lines are those CI runs."""

import re
import shlex
from pathlib import Path

import pytest

from utils.cli import parse_detect, parse_train, parse_val
from utils.paths import find_yaml
from utils.settings import build_config, settings_of_assignments

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"python ((?:train|val|detect)\.py[^`\n;&]*)", TEXT)))


def test_set_up_lines_stand_alone():
    for line in (
        "python -m pip install -r requirements.txt && python train.py --demo",
        "python -m pip install -r requirements-dev.txt && python -m pytest",
    ):
        assert f"\n{line}\n" in TEXT


@pytest.mark.parametrize("command", COMMANDS)
def test_command_parses(command):
    script, *words = shlex.split(command)
    if script == "train.py":
        flags = parse_train(words)
        cfg, _ = build_config([*flags.settings, *settings_of_assignments(list(flags.assignments))])
        find_yaml(cfg.model.cfg, "models", "--cfg")
    elif script == "val.py":
        flags = parse_val(words)
        assert not flags.cfg or find_yaml(flags.cfg, "models", "--cfg")
    else:
        parse_detect(words)


def test_links_and_pictures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_knobs_named_in_the_text_exist():
    for words in re.findall(r"--set ([\w.]+=[\w.]+)", TEXT):
        build_config(settings_of_assignments([words])) if "section.name" not in words else None


def test_no_placeholder_is_left():
    assert not re.search(r"@[A-Z0-9]+@", TEXT)
