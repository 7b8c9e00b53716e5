"""Which parts of a picture show most of a box."""

from utils.tiling.fullest import fullest


def test_the_areas_that_show_most_of_a_box_are_chosen():
    whole, tiles = (0, 0, 100, 60), [(0, 0, 60, 60), (40, 0, 100, 60)]
    assert fullest([whole], (1, 2, 3, 4)) == [0]
    assert fullest([*tiles, whole], (5, 5, 15, 15)) == [0, 2]
    assert fullest([*tiles, whole], (45, 5, 58, 15)) == [1, 0, 2]  # in all; nearer to the middle of the second
    assert fullest([*tiles, whole], (42, 5, 50, 15)) == [0, 1, 2]
    assert fullest([*tiles, whole], (10, 5, 90, 15)) == [2]
    assert fullest(tiles, (10, 5, 90, 15)) == [0, 1]  # 50 px of it in either
    assert fullest(tiles, (10, 5, 63, 15)) == [0]
    assert fullest([whole] * 9, (1, 2, 3, 4)) == [0, 1, 2, 3, 4]
