from dataclasses import replace

import pytest

from utils.page import gallery as module
from utils.page.entry import Entry, Review
from utils.page.gallery import Gallery
from utils.page.refusal import Refused
from utils.page.store import Store
from utils.words.errors import ResourceError

SEEN = Entry("part.png", state="done")


@pytest.fixture
def store():
    store = Store(most=100)
    yield store
    store.close()


def test_the_oldest_go_with_their_files(store):
    gallery = Gallery(store, most=3)
    added = [gallery.add(replace(SEEN, file=store.write(b"12345"), shown=store.write(b"123"))) for _ in range(5)]
    assert [one.number for one in gallery.before(100, 10)] == [5, 4, 3]
    assert [one.number for one in gallery.before(5, 1)] == [4]
    assert store.used == 24 and len(list(store.folder.iterdir())) == 6
    with pytest.raises(Refused, match="no such picture any more"):
        gallery.get(added[0].number)
    assert gallery.change(added[0].number, words="late") is None


def test_files_of_the_user_are_left_alone(store, tmp_path):
    own = tmp_path / "part.png"
    own.write_bytes(b"1")
    gallery = Gallery(store, most=1)
    for _ in range(2):
        gallery.add(replace(SEEN, file=own))
    assert own.exists()


def test_what_somebody_waits_for_or_said_goes_last(store):
    gallery = Gallery(store, most=3)
    gallery.add(replace(SEEN, state="waiting"))
    gallery.review(gallery.add(SEEN).number, Review("rejected"))
    for _ in range(4):
        gallery.add(SEEN)
    assert [one.number for one in gallery.before(100, 10)] == [6, 2, 1]
    gallery.change(2, kept=True)  # it is in a data set by now
    gallery.add(SEEN)
    assert [one.number for one in gallery.before(100, 10)] == [7, 6, 1]


def test_reviews_are_not_more_than_can_be_kept(store, monkeypatch):
    monkeypatch.setattr(module, "MOST_REVIEWED", 2)
    gallery = Gallery(store)
    numbers = [gallery.add(SEEN).number for _ in range(3)]
    assert [gallery.review(number, Review("rejected")) for number in numbers[:2]] == [1, 2]
    with pytest.raises(Refused, match="2 reviews are in no data set yet; export them"):
        gallery.review(numbers[2], Review("rejected"))
    assert gallery.review(numbers[0], Review("accepted")) == 2  # another opinion takes no more room
    assert gallery.review(numbers[0], None) == 1


def test_most_teaching_first(store):
    gallery = Gallery(store)
    for teaches in (0.2, 0.9, 0.9, 0.5):
        gallery.add(replace(SEEN, lesson=(teaches, "why")))
    gallery.add(replace(SEEN, state="failed", lesson=(1.0, "why")))
    gallery.review(4, Review("accepted"))
    assert [one.number for one in gallery.teaching(10)] == [3, 2, 1]


def test_the_store_holds_so_much_and_no_more(store):
    first = store.write(b"x" * 60)
    with pytest.raises(ResourceError, match="and no more"):
        store.write(b"x" * 41)
    assert store.used == 60 and [path.name for path in store.folder.iterdir()] == [first.name]
    store.remove(first)
    store.remove(first)
    assert store.used == 0 and store.folder.stat().st_mode & 0o077 == 0
    assert not store.claim(first, 1), "it is gone"


def test_a_new_picture_takes_the_room_of_old_ones_that_can_still_be_seen(store):
    gallery = Gallery(store)
    old = [gallery.add(replace(SEEN, file=store.write(b"x" * 30), shown=store.write(b"1"))) for _ in range(3)]
    gallery.review(old[0].number, Review("rejected"))
    store.write(b"x" * 30)  # with 93 of 100 bytes taken
    assert [gallery.get(one.number).file is not None for one in old] == [True, False, True]
    assert gallery.get(2).shown.exists() and store.used == 93
    with pytest.raises(ResourceError):
        store.write(b"x" * 101)  # for which nothing is given up
    assert gallery.get(3).file is not None
    with pytest.raises(ResourceError):
        store.write(b"x" * 70)
    assert gallery.get(1).file.exists()  # it was reviewed
