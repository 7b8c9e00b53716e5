"""TensorRT's checks. Building and running an engine takes a GPU with TensorRT, which no test here has."""

import types

import pytest
import torch

from models.exporting import tensorrt_engine
from models.exporting.tensorrt_engine import find_tensorrt
from utils.words.errors import ConfigError


@pytest.fixture
def version(monkeypatch):
    """Sets the version that is installed; None: it is not."""

    def set_to(text):
        def found(name):
            assert name == "tensorrt"
            if text is None:
                raise ModuleNotFoundError("No module named 'tensorrt'")
            return types.SimpleNamespace(__version__=text)

        monkeypatch.setattr(tensorrt_engine.importlib, "import_module", found)

    return set_to


def test_a_missing_library_is_said_with_what_to_do(version):
    version(None)
    with pytest.raises(ConfigError, match=r"pip install tensorrt; or export as onnx and run trtexec"):
        find_tensorrt(False)


@pytest.mark.parametrize(
    ("text", "half", "words"),
    [
        ("8.5.3", False, "too old"),
        ("7", False, "too old"),
        ("unknown", False, "too old"),
        ("10.4.0", True, "computes fp16 wrongly; take 10.6 or later"),
        ("10.5.0.post1", True, "computes fp16 wrongly"),
    ],
)
def test_versions_that_compute_wrongly_are_refused(version, monkeypatch, text, half, words):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    version(text)
    with pytest.raises(ConfigError, match=words):
        find_tensorrt(half)


@pytest.mark.parametrize(("text", "half"), [("10.4.0", False), ("10.6.0", True), ("11.0", True), ("8.6.1", True)])
def test_others_are_taken_where_there_is_a_gpu(version, monkeypatch, text, half):
    version(text)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert find_tensorrt(half).__version__ == text
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="torch sees none here"):
        find_tensorrt(half)
