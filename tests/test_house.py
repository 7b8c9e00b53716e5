"""The rules of the house that a program can check: who imports whom, no cycles, sizes, no dangerous calls."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the ground up: a room may import the rooms before it.
ROOMS = {
    "utils": (
        "words values tiling zones console config flags files processes tracking scoring drawing annotations "
        "detecting review deciding inspection questions english chinese asking answers quiz report line page serving "
        "training studies"
    ).split(),
    "data": (
        "files pictures live surfaces defects world labels sets index checks augment tiles scenes batches drawn"
    ).split(),
    "models": (
        "rows layers losses heads sam prompts text graph inference explaining exported pretrained ready exporting"
    ).split(),
}
COMMANDS = {"utils": {"benchmark", "side_by_side", "study"}, "data": {"audit", "benchmark", "folds", "pack"}}
COMMANDS["models"] = {"benchmark", "export", "pack"}
FILES = sorted(p for package in ROOMS for p in (ROOT / package).rglob("*.py"))
SCRIPTS = [ROOT / f"{name}.py" for name in ("train", "val", "detect")]
FORBIDDEN = {"models": {"data", "train", "val", "detect"}, "data": {"models", "train", "val", "detect"}}
# commands that judge networks on pictures, or look at networks, are scripts, wherever they lie
BESIDE = {ROOT / "models" / f"{name}.py": {"data", "val"} for name in ("export", "benchmark")}
BESIDE[ROOT / "utils" / "study.py"] = {"models"}
FORBIDDEN["utils"] = {"models", "data", "train", "val", "detect"}
TOP_LEVEL = {"train.py", "val.py", "detect.py", "models", "data", "utils", "cfg", "tests", "README.md", "LICENSE"}
TOP_LEVEL |= {"requirements.txt", "requirements-dev.txt", "requirements-minilm.txt", "requirements-export.txt"}
TOP_LEVEL |= {"constraints.txt", "requirements-log.txt", "requirements-serve.txt"}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Every module a file imports, at any depth; `from a.b import c` counts as a.b and as a.b.c."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            found |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_down(path):
    package = path.relative_to(ROOT).parts[0]
    assert not {i for i in imports(path) if i.split(".")[0] in FORBIDDEN[package] - BESIDE.get(path, set())}


@pytest.mark.parametrize("package", ROOMS)
def test_every_file_is_in_a_room_that_says_what_it_holds(package):
    files = {p.stem for p in (ROOT / package).glob("*.py")}
    assert files == COMMANDS[package] | {"__init__"}
    assert {p.name for p in (ROOT / package).iterdir() if p.is_dir()} - {"__pycache__"} == set(ROOMS[package])
    for room in ROOMS[package]:
        sentence = ast.get_docstring(tree(ROOT / package / room / "__init__.py"))
        assert sentence and ("May import:" in sentence or "Imports no other room" in sentence)
        assert not list((ROOT / package / room).glob("*/*.py")), "rooms are one level deep"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_import_runs_up_to_a_higher_room(path):
    package, *place = path.relative_to(ROOT).parts
    order = ROOMS[package]
    if len(place) < 2:
        return  # a command, above all rooms
    for module in imports(path):
        first, *rest = module.split(".")
        if first == package and rest and rest[0] != place[0]:
            assert rest[0] in order[: order.index(place[0])], f"{name(path)} imports {module}"


def test_scripts_import_in_one_direction():
    assert not {i for i in imports(ROOT / "val.py") if i.split(".")[0] in ("train", "detect")}
    assert not {i for i in imports(ROOT / "detect.py") if i.split(".")[0] in ("train", "val")}


def test_no_import_cycles():
    names = {name(p) for p in FILES}
    graph = {name(p): {i for i in imports(p) if i in names and i != name(p)} for p in FILES}
    # a package's __init__ that only lists its files is imported by them implicitly, not by name
    done: set[str] = set()
    while graph:
        free = {n for n, needs in graph.items() if needs <= done}
        assert free, f"cycle among {sorted(graph)}"
        done |= free
        graph = {n: needs for n, needs in graph.items() if n not in free}


@pytest.mark.parametrize("path", FILES + SCRIPTS, ids=name)
def test_sizes(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= 60, f"{path.name}: {node.name} has {length} lines"


@pytest.mark.parametrize("path", FILES + SCRIPTS, ids=name)
def test_nothing_dangerous(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"{path.name}:{node.lineno}: bare except"
            assert ast.unparse(node.type) not in ("Exception", "BaseException"), f"{path.name}:{node.lineno}"
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
        assert called not in ("eval", "exec", "compile", "__import__", "os.system", "yaml.load", "pickle.load"), called
        assert not called.startswith("sys.path"), f"{path.name}:{node.lineno}"
        assert keywords.get("shell") != "True" and keywords.get("allow_pickle") != "True"
        if called == "torch.load":
            assert keywords.get("weights_only") == "True", f"{path.name}:{node.lineno}"


def test_top_level_holds_what_it_should():
    shown = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")} - {"runs", "datasets", "__pycache__"}
    assert shown == TOP_LEVEL
    assert not list((ROOT / "cfg").rglob("*.py"))


def test_scripts_start_without_what_few_runs_need():
    """Figures, other people's networks, exported files, rules for questions: loaded where they are first used."""
    script = """
import sys, train, val, detect
from utils.chinese.rules import CHINESE
from utils.english.rules import ENGLISH
optional = {"matplotlib", "timm", "torchvision", "segment_anything", "onnx", "onnxruntime", "openvino", "open_clip"}
assert not optional & set(sys.modules), optional & set(sys.modules)
assert not any("_compiled" in vars(grammar.phrasings) for grammar in (ENGLISH, CHINESE))
assert next(ENGLISH.phrasings.matches("how many "), None) is None and "_compiled" in vars(ENGLISH.phrasings)
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=120)
