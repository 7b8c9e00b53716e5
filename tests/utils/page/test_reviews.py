from pathlib import Path

import pytest

from tests.utils.serving.page_cases import desk, picture
from utils.page.entry import Entry, Review
from utils.page.gallery import Gallery
from utils.page.refusal import Refused
from utils.page.reviews import Reviews
from utils.page.store import Store
from utils.review.review_set import ReviewSet

BOX = (20.0, 15.0, 120.0, 75.0)  # of 200 x 150 px: its middle (70, 45), 100 x 60 px
ROW = "{} 0.35000000 0.30000000 0.50000000 0.40000000\n"


@pytest.fixture
def gallery():
    store = Store()
    yield Gallery(store)
    store.close()


def add(gallery, name, content, review, **changes):
    file = None if content is None else gallery.store.write(content)
    return gallery.add(Entry(name, state="done", size=(150, 200), file=file, review=review, **changes))


def labels(folder):
    return sorted(path.read_text() for path in (Path(folder) / "labels").iterdir())


def test_the_same_picture_twice_is_there_once_with_its_later_review(gallery, tmp_path):
    add(gallery, "a.png", picture(), Review("corrected", (("hole", BOX),)))
    add(gallery, "a.png", picture(), Review("corrected", (("scratch", BOX),)))
    add(gallery, "a.png", picture(value=7), Review("rejected"))  # of that name only
    told = Reviews(desk(tmp_path), gallery).write()
    assert (told["pictures"], told["boxes"], labels(told["folder"])) == (2, 1, ["", ROW.format(0)])


def test_words_of_the_user_are_further_classes(gallery, tmp_path):
    add(gallery, "a", picture(), Review("corrected", (("oil", BOX), ("hole", BOX))))
    told = Reviews(desk(tmp_path), gallery).write()
    assert labels(told["folder"]) == [ROW.format(2) + ROW.format(1)]
    assert "names:\n- scratch\n- hole\n- oil\n" in (Path(told["folder"]) / "data.yaml").read_text()
    (name,) = (path.suffix for path in (Path(told["folder"]) / "images").iterdir())
    assert name == ".png"  # the name had none


def test_of_a_picture_that_is_gone_the_one_that_is_shown_is_taken(gallery, tmp_path):
    shown = gallery.store.write(picture(suffix=".jpg"))
    add(gallery, "a.png", None, Review("corrected", (("hole", (40.0, 30.0, 240.0, 150.0)),)), shown=shown)
    gallery.change(1, size=(300, 3200))  # is shown with 150 x 1600 px
    told = Reviews(desk(tmp_path), gallery).write()
    assert labels(told["folder"]) == ["1 0.04375000 0.30000000 0.06250000 0.40000000\n"]  # (140, 90), 200 x 120 px
    assert [path.suffix for path in (Path(told["folder"]) / "images").iterdir()] == [".jpg"]


def test_a_picture_that_cannot_be_read_is_left_out_and_stays_open(gallery, tmp_path):
    lost = add(gallery, "lost.png", picture(), Review("rejected"))
    kept = add(gallery, "kept.png", picture(value=3), Review("rejected"))
    lost.file.unlink()
    told = Reviews(desk(tmp_path), gallery).write()
    assert told["pictures"] == 1 and gallery.get(kept.number).kept and not gallery.get(lost.number).kept


def test_a_review_that_changes_meanwhile_is_not_in_the_set(gallery, tmp_path, monkeypatch):
    entry = add(gallery, "a.png", picture(), Review("rejected"))
    finish = ReviewSet.finish

    def finishing(self, weights, flags):
        gallery.review(entry.number, Review("accepted"))
        return finish(self, weights, flags)

    monkeypatch.setattr(ReviewSet, "finish", finishing)
    reviews = Reviews(desk(tmp_path), gallery)
    reviews.write()
    assert not gallery.get(entry.number).kept
    monkeypatch.undo()
    reviews.rescue()  # at the end of the session
    assert gallery.get(entry.number).kept and (tmp_path / "runs" / "review" / "exp2" / "data.yaml").exists()
    reviews.rescue()
    assert not (tmp_path / "runs" / "review" / "exp3").exists()


def test_nothing_to_write(gallery, tmp_path):
    with pytest.raises(Refused, match="nothing was reviewed yet"):
        Reviews(desk(tmp_path), gallery).write()
    assert not (tmp_path / "runs").exists()
