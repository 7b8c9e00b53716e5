"""What the README, cfg/README.md and data/README.md promise: commands parse, files, knobs and YAML examples exist, and
no option, model or box loss is left out.
"""

import re
import shlex
import typing
from pathlib import Path

import pytest
import yaml

from data.sets.description import KEYS
from models.graph.builder import build_graph
from models.rows.spec import parse_spec
from tests.models.graph.test_variants import PARAMETERS
from utils.config.cli import parse_detect, parse_train, parse_val
from utils.config.config import Config, IouName
from utils.config.paths import CFG, find_yaml
from utils.config.settings import YOLOV5_KEYS, YOLOV5_NEUTRAL, build_config, settings_of_assignments
from utils.words.yamlio import Document

ROOT = Path(__file__).parent.parent
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "cfg/README.md", "data/README.md")}
TEXT, CFG_TEXT = TEXTS["README.md"], TEXTS["cfg/README.md"]
COMMAND = re.compile(r"python ((?:train|val|detect)\.py[^`\n;&]*)")
COMMANDS = sorted({command.strip() for text in TEXTS.values() for command in COMMAND.findall(text)})
EXAMPLES = [example for text in TEXTS.values() for example in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
SCRIPTS = {"train.py": parse_train, "val.py": parse_val, "detect.py": parse_detect}
FILE_ENDINGS = {"py", "yaml", "json", "csv", "txt", "pt", "jpg", "png"}


def quoted(text):
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def anchors(text):
    """What links may name: headings in lower case, blanks as hyphens."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_set_up_lines_stand_alone():
    for line in (
        "python -m pip install -r requirements.txt && python train.py --demo",
        "python -m pip install -r requirements-dev.txt && python -m pytest",
    ):
        assert f"\n{line}\n" in TEXT


@pytest.mark.parametrize("command", COMMANDS)
def test_command_parses(command):
    script, *words = shlex.split(command)
    flags = SCRIPTS[script](words)
    cfg, _ = build_config([*getattr(flags, "settings", ()), *settings_of_assignments(list(flags.assignments))])
    model = cfg.model.cfg if script == "train.py" else getattr(flags, "cfg", "")
    assert not model or find_yaml(model, "models", "--cfg")


@pytest.mark.parametrize("name", TEXTS)
def test_links_and_pictures_exist(name):
    for target in re.findall(r"\]\(([^)]+)\)", TEXTS[name]):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("name", TEXTS)
def test_knobs_named_in_the_text_exist(name):
    for words in re.findall(r"--set (?!section\.name)([\w.]+=[\w.]+)", TEXTS[name]):
        build_config(settings_of_assignments([words]))
    sections = typing.get_type_hints(Config)
    text = re.sub(r"-m \S+", "", " ".join(quoted(TEXTS[name])))  # a module is no knob
    for section, knob in re.findall(r"(?<![\w./-])([a-z_]+)\.([a-z]\w*)", text):
        if section in sections and knob not in FILE_ENDINGS:
            assert knob in typing.get_type_hints(sections[section]), f"{section}.{knob}"


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_option_is_left_out(script, capsys):
    """A new option needs its word in the README's tables of options."""
    with pytest.raises(SystemExit):
        SCRIPTS[script](["--help"])
    lines = [line.strip().split("  ")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  -")]
    options = [re.findall(r"(?<!\S)--[a-z][\w-]*", line) for line in lines]
    table = TEXT[TEXT.index(f"| `{script}` | |") :].split("\n\n")[0]
    known = {*re.findall(r"--[a-z][\w-]*", table), "--help", "--debug"}
    assert [names for names in options if not known & set(names)] == []


def test_every_model_is_listed_with_its_parameters():
    listed = dict(re.findall(r"^\| `([^`]+)\.yaml` \| ([\d,]+) \|", CFG_TEXT, re.MULTILINE))
    assert {name: int(count.replace(",", "")) for name, count in listed.items()} == PARAMETERS
    assert set(listed) == {path.stem for path in (CFG / "models").glob("*.yaml")}


def test_data_sets_box_losses_and_yolov5_keys_are_listed():
    sets = {path.name for path in (CFG / "data").glob("*.yaml")}
    assert sets <= set(quoted(TEXTS["data/README.md"]))
    losses = set(re.findall(r"'([\w-]+)'", str(IouName)))
    assert len(losses) > 10 and losses <= set(quoted(CFG_TEXT)) and losses <= set(quoted(TEXT))
    assert {*YOLOV5_KEYS, *YOLOV5_NEUTRAL} <= set(quoted(CFG_TEXT))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0][:40])
def test_yaml_examples_are_read(example):
    content = yaml.safe_load(example)
    if "backbone" in content:
        build_graph(parse_spec(Document(Path("example.yaml"), content, {})))
    else:
        assert set(content) <= {*KEYS, "union"}


def test_no_placeholder_is_left():
    for text in TEXTS.values():
        assert not re.search(r"@[A-Z0-9]+@", text)
