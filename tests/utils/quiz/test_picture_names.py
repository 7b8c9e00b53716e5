import pytest

from utils.quiz.picture_names import PictureNames, UnknownPicture

FILES = ["/data/cup/good/1.png", "/data/cup/bad/1.png", "/data/pen/bad/1.png", "/data/pen/bad/2.png"]


def find(*names, files=FILES):
    known = PictureNames(files)
    return [known.find(name) for name in names]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("2.png", 3),
        ("bad/2.png", 3),
        ("good/1.png", 0),
        ("cup/bad/1.png", 1),
        ("set/pen/bad/1.png", 2),
        ("elsewhere/good/1.png", 0),
        ("/data/pen/bad/1.png", 2),
        ("set\\cup\\bad\\1.png", 1),
        ("./2.png", 3),
        ("a//bad//2.png", 3),
    ],
)
def test_the_longest_end_in_common(name, index):
    assert find(name) == [index]


def test_unicode_forms_are_one():
    assert find("e\u0301.png", files=["x/\u00e9.png"]) == [0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("3.png", "is not among the 4 pictures of the split"),
        ("2.PNG", "is not among the 4 pictures"),
        ("12.png", "is not among the 4 pictures"),
        ("", "is not among"),
        ("1.png", "means any of 3 pictures of the split; write more of its folders"),
        ("bad/1.png", "means any of 2 pictures"),
        ("fork/bad/1.png", "means any of 2 pictures"),
    ],
)
def test_names_that_mean_none_or_many(name, words):
    with pytest.raises(UnknownPicture, match=words):
        find(name)


def test_two_names_cannot_mean_one_picture():
    """Of `fork` there is no picture here, but its `good/1.png` looks like one of `cup`."""
    assert find("cup/good/1.png", "good/1.png", "/data/cup/good/1.png", "cup/good/1.png") == [0, 0, 0, 0]
    with pytest.raises(UnknownPicture, match="means the same picture as 'cup/good/1.png'"):
        find("cup/good/1.png", "fork/good/1.png")


def test_two_files_of_one_name_are_told_apart_by_nothing():
    with pytest.raises(UnknownPicture, match="means any of 2 pictures"):
        find("a/1.png", files=["a/1.png", "a/1.png"])
