import pytest

from utils import cli
from utils.cli import parse_train
from utils.dist import local_rank, process_count
from utils.errors import ConfigError


def test_the_launchers_word_wins(monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert local_rank(None) is None and local_rank(1) == 1
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert local_rank(None) == 3 and local_rank(1) == 3


@pytest.mark.parametrize("flag", ["--local_rank", "--local-rank"])
def test_a_rank_chooses_its_gpu_unless_device_does(monkeypatch, flag):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setattr(cli, "device_of_rank", lambda rank: f"gpu {rank}")

    def device(*words):
        return {s.key: s.value for s in parse_train(words).settings}.get("run.device")

    assert device(flag, "1") == device(f"{flag}=1") == "gpu 1"
    assert device(flag, "1", "--device", "0") == "0"
    assert device(flag, "-1") is None and device() is None


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert process_count() == 1
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert process_count() == 1
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(ConfigError, match="WORLD_SIZE 4"):
        process_count()
