import importlib

import pytest
import torch

from models.rows import torchvision_compat
from models.rows.torchvision_compat import prepare_torchvision


def test_torchvision_works_beside_this_torch():
    prepare_torchvision()
    prepare_torchvision()
    from torchvision.transforms import functional

    assert functional.resize(torch.rand(1, 3, 8, 8), [4, 4]).shape == (1, 3, 4, 4)


def test_the_operators_are_declared_once_the_import_failed_over_them(monkeypatch):
    calls = []

    def fails_at_first(name):
        calls.append(name)
        if len(calls) == 1:
            raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(importlib, "import_module", fails_at_first)
    monkeypatch.setattr(torchvision_compat, "_declare_operators", lambda: calls.append("declared"))
    prepare_torchvision()
    assert calls == ["torchvision", "declared", "torchvision"]


def test_any_other_failure_is_shown(monkeypatch):
    def fails(_name):
        raise RuntimeError("compiled with different CUDA major versions")

    monkeypatch.setattr(importlib, "import_module", fails)
    with pytest.raises(RuntimeError, match="different CUDA"):
        prepare_torchvision()
