"""Fixtures of the data tests."""

import pytest


@pytest.fixture
def as_a_script(tmp_path, monkeypatch):
    """For tests that call `main` of a script: its own cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
