import pytest

from utils.flags.train_flags import parse_train
from utils.processes.distributed import ALONE, Place, World, find_place
from utils.processes.launch import device_of, process_count
from utils.words.errors import ConfigError

TORCHRUN = {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
TORCHRUN |= {"MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


def test_the_launchers_word_wins():
    assert find_place(None, TORCHRUN) == find_place(7, TORCHRUN) == Place(3, 4, 1, 2)
    older = {key: value for key, value in TORCHRUN.items() if not key.startswith("LOCAL")}
    assert find_place(1, older) == Place(3, 4, 1, 4)
    assert find_place(None, {}) == find_place(0, {"WORLD_SIZE": "1", "RANK": "0"}) == Place()


@pytest.mark.parametrize("flag", ["--local_rank", "--local-rank"])
def test_both_spellings(flag):
    assert parse_train([flag, "1"]).local_rank == parse_train([f"{flag}=1"]).local_rank == 1
    assert parse_train([]).local_rank is None


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"RANK": "1"}, "RANK is set without WORLD_SIZE"),
        ({"WORLD_SIZE": "2"}, "without RANK, MASTER_ADDR, MASTER_PORT"),
        ({**TORCHRUN, "RANK": "4"}, "RANK 4 of WORLD_SIZE 4"),
        ({**TORCHRUN, "WORLD_SIZE": "four"}, "WORLD_SIZE four"),
    ],
)
def test_half_a_launcher_is_refused(environment, words):
    with pytest.raises(ConfigError, match=words):
        find_place(None, environment)


def test_what_device_and_nproc_ask_for(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert [process_count(*asked) for asked in (("", 1), ("0,1", 1), ("cuda:0,1,2", 1), ("cpu", 2))] == [1, 2, 3, 2]
    third = Place(2, 4, 2, 4)
    assert device_of("4,5,6,7", third) == "6" and device_of("", third) == "2" and device_of("cpu", third) == "cpu"
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert device_of("", third) == ""
    assert device_of("0,1", Place()) == "0,1"
    assert device_of("", Place()) == "" and device_of("1", Place()) == "1"


@pytest.mark.parametrize(("items", "ranks"), [(8, 2), (7, 3), (2, 3), (1, 4)])
def test_parts_make_up_the_batch_in_order(items, ranks):
    batch = list(range(items))
    parts = [World(rank, ranks).part(batch) for rank in range(ranks)]
    assert sum(parts, []) == batch and max(map(len, parts)) - min(map(len, parts)) <= 1
    assert ALONE.part(batch) == batch
