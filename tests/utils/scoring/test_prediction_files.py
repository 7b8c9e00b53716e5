"""Which picture of the data a row of predictions means."""

import pytest

from utils.scoring.prediction_files import Known

FILES = ["cam1/a.jpg", "cam1/b.jpg", "cam2/b.jpg", "c.jpg"]
IMAGES = [{"id": number, "file_name": name} for number, name in enumerate(FILES, 1)]
KNOWN = Known({"images": IMAGES, "categories": [{"id": 1, "name": "oil"}]})


@pytest.mark.parametrize(
    ("given", "picture"),
    [
        ("cam1/a.jpg", 1),
        ("a.jpg", 1),
        ("a", 1),
        ("images/cam1/a.jpg", 1),
        ("/home/me/set/cam1/a.jpg", 1),
        ("C:\\set\\cam2\\b.jpg", 3),
        ("cam2/b.jpg", 3),
        ("cam2/b", 3),
        ("anywhere/c.jpg", 4),
        (2, 2),
    ],
)
def test_a_picture_is_known_by_its_path_as_far_as_it_goes(given, picture):
    assert KNOWN.image({"image_id": given}) == picture


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("cam2/a.jpg", "is no picture of the data"),
        ("cam3/b.jpg", "is no picture of the data"),
        ("cam2/cam1/../a.jpg", "is no picture of the data"),
        ("b.jpg", "several pictures of the data are called that"),
        ("cam2/a", "is no picture of the data"),
        ("", "is no picture of the data"),
        (9, "is none of the data's"),
        (True, "must be a number or a name"),
    ],
)
def test_another_folder_is_another_picture(given, reason):
    with pytest.raises(ValueError, match=reason):
        KNOWN.image({"image_id": given})
