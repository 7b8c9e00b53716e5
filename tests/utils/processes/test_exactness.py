"""What a resumed run says of changed data and another machine."""

import pytest
import torch

from utils.processes.exactness import changed_data, changed_environment, number_environment

SPLIT = {"pictures": 10, "boxes": 30} | {k: k for k in ("words", "names", "sizes", "truth", "bytes", "times")}
BEFORE = {"train": SPLIT, "val": SPLIT}
BEGUN = "data changed since the run was begun: "
BEST = "; the best metric so far is not comparable"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"pictures": 13, "names": "x", "sizes": "x", "truth": "x", "bytes": "x"}, "3 pictures more"),
        ({"pictures": 9, "boxes": 28, "names": "x", "truth": "x"}, "1 picture fewer, 2 boxes fewer"),
        ({"boxes": 31, "truth": "x"}, "1 box more"),
        ({"truth": "x"}, "other boxes or classes in the labels"),
        ({"names": "x"}, "pictures of other names"),
        ({"bytes": "x", "times": "x"}, "picture files of other lengths"),
        ({"boxes": 31, "truth": "x", "sizes": "x"}, "1 box more, pictures of other sizes"),
    ],
)
def test_data(changes, said):
    train = changed_data(BEFORE, {"train": {**SPLIT, **changes}, "val": SPLIT}, reads_text=False)
    val = changed_data(BEFORE, {"train": SPLIT, "val": {**SPLIT, **changes}}, reads_text=False)
    assert train == ([f"not exact: training {BEGUN}{said}"] if said else [])
    assert val == ([f"not exact: validation {BEGUN}{said}{BEST}"] if said else [])


def test_files_written_again_may_be_the_same():
    (line,) = changed_data(BEFORE, {"train": {**SPLIT, "times": "x"}, "val": SPLIT}, reads_text=True)
    assert line == "the training pictures were written again since the run was begun: exact if they are the same"


def test_what_classes_are_called_matters_to_a_network_that_reads_text():
    now = {"train": {**SPLIT, "words": "x"}, "val": SPLIT}
    assert changed_data(BEFORE, now, reads_text=False) == []
    assert changed_data(BEFORE, now, reads_text=True) == [f"not exact: training {BEGUN}classes are called otherwise"]


def test_environment():
    here = number_environment(torch.device("cpu"))
    assert here["threads"] == torch.get_num_threads() and here == number_environment(torch.device("cpu"))
    assert all(type(value) in (str, int) for value in here.values()), "a checkpoint holds plain values"
    assert changed_environment(here, here) == []
    (line,) = changed_environment({**here, "threads": 99, "torch": "1.0"}, here)
    assert line == f"not exact: torch {here['torch']} instead of 1.0, threads {here['threads']} instead of 99"
