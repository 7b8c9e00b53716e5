import threading
import time

import pytest

from utils.processes.threads import Background, prefetch, within
from utils.words.errors import ResourceError


def test_prefetch_keeps_order_and_stays_bounded():
    made = []

    def source():
        for i in range(50):
            made.append(i)
            yield i

    seen = []
    for item in prefetch(source(), 3):
        seen.append(item)
        assert len(made) <= len(seen) + 3
    assert seen == list(range(50))


def test_prefetch_raises_in_its_place():
    def source():
        yield 1
        raise ValueError("second")

    items = prefetch(source(), 4)
    assert next(items) == 1
    with pytest.raises(ValueError, match="second"):
        next(items)


def test_a_prefetch_that_is_left_early_ends_its_thread():
    items = prefetch(iter(range(10**9)), 2)
    assert next(items) == 0
    items.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("prefetch")]


def test_background_works_in_order_and_is_done_at_the_end():
    done = []
    with Background(2) as background:
        for i in range(20):
            background.run(done.append, i)
            assert len(done) >= i - 2  # no more than two wait while a third is being done
    assert done == list(range(20))


def test_background_passes_errors_on():
    def fail():
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), Background(2) as background:
        background.run(fail)
    with pytest.raises(KeyError, match="first"), Background(2) as background:
        background.run(fail)
        raise KeyError("first")


def test_what_never_comes_ends_the_wait_and_not_the_program():
    held = threading.Event()

    def source():
        yield 1
        held.wait()

    items = prefetch(source(), 1, within(0.5, "a.png: nothing was read"))
    assert next(items) == 1
    with pytest.raises(ResourceError, match="a.png: nothing was read for 0 s"):
        next(items)
    held.set()


def test_who_is_told_to_stop_waits_no_longer():
    held = threading.Event()
    assert list(prefetch(iter(held.wait, None), 2, lambda waited: False)) == []
    held.set()


def test_the_start_of_a_wait_is_not_its_end():
    def slow():
        for i in range(3):
            time.sleep(0.3)
            yield i

    waits = []
    assert list(prefetch(slow(), 1, lambda waited: not waits.append(waited))) == [0, 1, 2]
    assert waits and max(waits) < 0.4  # counted anew for each item
