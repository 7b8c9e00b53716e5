"""What the pages promise: commands parse, links, files, knobs and YAML examples exist, tables are whole, and no option,
model, room or box loss is left out.
"""

import ast
import importlib.util
import re
import shlex
import typing
from pathlib import Path

import pytest
import yaml

from data.sets.data_yaml import KEYS
from models.graph.builder import build_graph
from models.rows.model_spec import parse_spec
from models.text.glossary_file import built_in, read_terms
from tests.models.graph.test_variants import PARAMETERS
from tests.test_house import ROOMS
from utils.answers.lexicon import Lexicon
from utils.answers.severity import read_severity
from utils.config.config import Config, IouName
from utils.config.paths import CFG, find_yaml
from utils.config.settings import YOLOV5_KEYS, YOLOV5_NEUTRAL, build_config, settings_of_assignments
from utils.flags.detect_flags import parse_detect
from utils.flags.export_flags import parse_export
from utils.flags.train_flags import parse_train
from utils.flags.val_flags import parse_val
from utils.studies.plan import read_plan
from utils.words.yamlio import Document
from utils.zones.zone_file import read_zones

ROOT = Path(__file__).parent.parent
PAGES = """
README.md cfg/README.md cfg/CLAIMS.md cfg/RESULTS.md cfg/OPTIONS.md cfg/MIGRATION.md cfg/train/README.md data/README.md
utils/inspection/README.md utils/answers/README.md utils/zones/README.md utils/annotations/README.md
utils/line/README.md utils/serving/README.md cfg/studies/README.md models/exporting/README.md
models/explaining/README.md tests/faults/README.md .github/ARCHITECTURE.md .github/CONTRIBUTING.md .github/SECURITY.md
"""
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in PAGES.split()}
TEXT, CFG_TEXT = TEXTS["README.md"], TEXTS["cfg/README.md"]
EXAMPLE_OF = {"D.yaml": "neu-det.yaml", "C.yaml": "idfe-net-n.yaml", "I": "160", "E": "10", "S": "1", "L": "ciou"}
COMMAND = re.compile(r"python ((?:train|val|detect)\.py[^`\n;&]*)")
PLACEHOLDER = re.compile(r"(?<=[ =])(D\.yaml|C\.yaml|[IESL])(?= |$)")  # of the tables in cfg/RESULTS.md
COMMANDS = sorted({command.strip() for text in TEXTS.values() for command in COMMAND.findall(text)})
EXAMPLES = [example for text in TEXTS.values() for example in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
SCRIPTS = {"train.py": parse_train, "val.py": parse_val, "detect.py": parse_detect}
FILE_ENDINGS = {"py", "yaml", "json", "csv", "txt", "pt", "jpg", "png", "onnx", "xml", "bin"}


def filled(command):
    """A command of cfg/RESULTS.md with an example in the place of each letter."""
    return PLACEHOLDER.sub(lambda match: EXAMPLE_OF[match[0]], command)


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


def test_the_first_page_is_short():
    lines = TEXT.splitlines()
    assert len(lines) <= 200
    assert lines.index("python -m pip install -r requirements.txt && python train.py --demo") < 25, "not at first sight"


@pytest.mark.parametrize("command", COMMANDS)
def test_command_parses(command):
    script, *words = shlex.split(filled(command))
    flags = SCRIPTS[script](words)
    cfg, _ = build_config([*getattr(flags, "settings", ()), *settings_of_assignments(list(flags.assignments))])
    model = cfg.model.cfg if script == "train.py" else getattr(flags, "cfg", "")
    assert not model or find_yaml(model, "models", "--cfg")


def test_commands_of_an_export_parse():
    found = [words for text in TEXTS.values() for words in re.findall(r"python -m models\.export( --[^`\n&]*)", text)]
    assert len(found) > 5
    for words in found:
        parse_export(shlex.split(words))


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
def test_files_and_modules_named_in_the_text_exist(name):
    text = TEXTS[name]
    inside = re.findall(
        r"(?<![\w/])((?:models|data|utils|tests|cfg)/[\w./-]+\.(?:py|md|yaml))\b", " ".join(quoted(text))
    )
    tests = re.findall(r"-m pytest ([\w./][\w./-]*)", text)
    assert [path for path in (*inside, *tests) if "NAME" not in path and not (ROOT / path).exists()] == []
    modules = re.findall(r"python -m ((?:models|data|utils)\.\w+)", text)
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []


@pytest.mark.parametrize("name", TEXTS)
def test_tables_are_whole(name):
    """Every row of a table has as many cells as its header, so that it is shown as one."""
    text = re.sub(r"```.*?```", "", TEXTS[name], flags=re.DOTALL)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table
        assert re.fullmatch(r"[|-]+", table.splitlines()[1]), table
        assert f"\n\n{table}" in text, f"no blank line above {table}"


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_are_described_as_in_the_code(package):
    """.github/ARCHITECTURE.md has a table for each package: the first paragraph of each room's __init__, in order."""
    rows = []
    for room in ROOMS[package]:
        said = ast.get_docstring(ast.parse((ROOT / package / room / "__init__.py").read_text(encoding="utf-8")))
        rows.append(f"| `{package}/{room}` | {' '.join(said.partition(chr(10) * 2)[0].split())} |")
    page = TEXTS[".github/ARCHITECTURE.md"]
    assert page.partition(f"### {package}\n\n")[2].split("\n\n")[0].splitlines()[2:] == rows


@pytest.mark.parametrize("name", TEXTS)
def test_knobs_named_in_the_text_exist(name):
    for words in re.findall(r"--set (?!section\.name)([\w.]+=[\w.]+)", TEXTS[name]):
        build_config(settings_of_assignments([filled(words)]))
    sections = typing.get_type_hints(Config)
    text = re.sub(r"-m \S+", "", " ".join(quoted(TEXTS[name])))  # a module is no knob
    for section, knob in re.findall(r"(?<![\w./-])([a-z_]+)\.([a-z]\w*)", text):
        if section in sections and knob not in FILE_ENDINGS:
            assert knob in typing.get_type_hints(sections[section]), f"{section}.{knob}"


@pytest.mark.parametrize("script", [*SCRIPTS, "models.export"])
def test_no_option_is_left_out(script, capsys):
    """A new option needs its word in the tables of cfg/OPTIONS.md."""
    with pytest.raises(SystemExit):
        {**SCRIPTS, "models.export": parse_export}[script](["--help"])
    lines = [line.strip().split("  ")[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  -")]
    options = [re.findall(r"(?<!\S)--[a-z][\w-]*", line) for line in lines]
    page = TEXTS["cfg/OPTIONS.md"]
    table = page[page.index(f"| `{script}` |") :].split("\n\n")[0]
    known = {*re.findall(r"--[a-z][\w-]*", table), "--help", "--debug"}
    assert [names for names in options if not known & set(names)] == []


def test_every_model_is_listed_with_its_parameters():
    listed = dict(re.findall(r"^\| `([^`]+)\.yaml` \| ([\d,]+) \|", CFG_TEXT, re.MULTILINE))
    assert {name: int(count.replace(",", "")) for name, count in listed.items()} == PARAMETERS
    files = (path.relative_to(CFG / "models") for path in (CFG / "models").rglob("*.yaml"))
    assert set(listed) == {path.with_suffix("").as_posix() for path in files}


def test_data_sets_box_losses_and_yolov5_keys_are_listed():
    sets = {path.name for path in (CFG / "data").glob("*.yaml")}
    assert sets <= set(quoted(TEXTS["data/README.md"]))
    losses = set(re.findall(r"'([\w-]+)'", str(IouName)))
    assert len(losses) > 10 and losses <= set(quoted(CFG_TEXT))
    assert {*YOLOV5_KEYS, *YOLOV5_NEUTRAL} <= set(quoted(CFG_TEXT))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[0][:40])
def test_yaml_examples_are_read(example, tmp_path):
    content = yaml.safe_load(example)
    if "looks" in example:
        path = tmp_path / "glossary.yaml"
        path.write_text(example, encoding="utf-8")
        read_terms(path, built_in())
    elif "rules" in content:
        path = tmp_path / "severity.yaml"
        path.write_text(example, encoding="utf-8")
        read_severity(path, Lexicon.of(("crack", "scratch", "dent")))
    elif "zones" in content:
        path = tmp_path / "zones.yaml"
        path.write_text(example, encoding="utf-8")
        read_zones(path, ("scratch", "oil"))
    elif "arms" in content:
        path = tmp_path / "plan.yaml"
        path.write_text(example, encoding="utf-8")
        read_plan(path)
    elif "backbone" in content:
        build_graph(parse_spec(Document(Path("example.yaml"), content, {})))
    else:
        assert set(content) <= {*KEYS, "union", "world"}


def test_no_placeholder_is_left():
    for text in TEXTS.values():
        assert not re.search(r"@[A-Z0-9]+@", text)
