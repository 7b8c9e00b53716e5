"""Fixtures of the data tests."""

import pytest

from utils.console.log import LOG


@pytest.fixture
def as_a_script(tmp_path, monkeypatch):
    """For tests that call `main` of a script: its own cache folder; what it does to the log ends with the test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    handlers, level, propagates = list(LOG.handlers), LOG.level, LOG.propagate
    yield
    LOG.handlers[:], LOG.propagate = handlers, propagates
    LOG.setLevel(level)
