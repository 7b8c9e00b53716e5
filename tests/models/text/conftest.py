"""No test here may try to reach a network, and none may read or write the user's own caches."""

import socket

import pytest
import torch

from models.text.encoder import flaw
from utils.console.log import LOG


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path_factory):
    """Every attempt raises, and fails the test at its end even where a library swallowed the error."""
    attempts = []

    def refuse(*args, **kwargs):
        attempts.append(args)
        raise OSError("no network in tests")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    yield attempts
    assert not attempts


@pytest.fixture
def said(caplog, monkeypatch):
    """What was logged."""
    monkeypatch.setattr(LOG, "propagate", True)
    caplog.set_level("INFO", LOG.name)
    return caplog


class Counting:
    """An encoder whose vectors tell texts apart, and which writes down what it was asked for."""

    def __init__(self, name="counting:1", dim=8):
        self.name, self.dim, self.asked = name, dim, []

    def encode(self, texts):
        self.asked += texts
        numbers = [sum(ord(c) * (k + 1) for k, c in enumerate(text)) for text in texts]
        rows = torch.stack([torch.randn(self.dim, generator=torch.Generator().manual_seed(n)) for n in numbers])
        vectors = torch.nn.functional.normalize(rows, dim=1)
        assert not flaw(vectors)
        return vectors


@pytest.fixture
def counting():
    return Counting()
