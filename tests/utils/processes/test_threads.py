import threading

import pytest

from utils.processes.threads import Background, prefetch


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
