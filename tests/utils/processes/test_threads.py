import threading
import time

import pytest

from utils.processes.threads import Background, Turns, prefetch, within
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


def test_turns_are_given_in_order():
    """Who takes it again at once waits for those who asked before."""
    turns, order = Turns(), []

    def work(name):
        with turns:
            order.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("first", "second")]
    with turns:
        for number, thread in enumerate(threads, 1):
            thread.start()
            while len(turns._waiting) < number:
                time.sleep(0.001)
    with turns:
        order.append("again")
    for thread in threads:
        thread.join(30)
    assert order == ["first", "second", "again"]


def test_one_at_a_time_and_all_in_the_end():
    turns, inside, most, done = Turns(), [], [], []

    def work(number):
        for _ in range(30):
            with turns:
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(done) == list(range(8)) and set(most) == {1}


def test_who_gives_up_leaves_the_turn_to_the_next(monkeypatch):
    turns, entered = Turns(), threading.Event()

    def interrupted(self, timeout=None):
        raise KeyboardInterrupt

    with turns:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Event, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt), turns:
                pass

        def work():
            with turns:
                entered.set()

        thread = threading.Thread(target=work)
        thread.start()
        assert not entered.is_set()
    thread.join(30)
    assert entered.is_set()
