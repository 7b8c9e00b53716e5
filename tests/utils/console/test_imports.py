import sys

import pytest

from utils.console import imports


def test_errors_are_the_scripts_own_again(monkeypatch):
    monkeypatch.setattr(imports, "leave_on_signals", lambda: None)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)
    imports.while_importing()
    assert sys.excepthook is not sys.__excepthook__
    imports.imported()
    assert sys.excepthook is sys.__excepthook__


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ModuleNotFoundError("No module named 'torch'"), "No module named 'torch'; python -m pip install"),
        (
            ImportError("x.so: failed to map\nsegment"),
            "a module cannot be loaded: x.so: failed to map segment; is there",
        ),
        (MemoryError(), "a module cannot be loaded: MemoryError; "),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_module_that_cannot_be_loaded_is_one_line(monkeypatch, capfd, error, line):
    def leave(code):
        raise SystemExit(code)

    monkeypatch.setattr(imports.os, "_exit", leave)
    with pytest.raises(SystemExit, match="6"):
        imports._one_line(type(error), error, None)
    said = capfd.readouterr().err
    assert said.startswith("error[RESOURCE]: ") and line in said and said.count("\n") == 1


def test_a_mistake_of_ours_stays_a_traceback(capfd):
    imports._one_line(KeyError, KeyError("x"), None)
    assert capfd.readouterr().err == "KeyError: 'x'\n"
