import pytest

from utils.flags.parser import hours
from utils.words.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2", 2), ("1.5", 1.5), (".5h", 0.5), ("30m", 0.5), ("90s", 0.025), ("2H", 2), (" 3 ", 3), ("0", 0), ("0s", 0)],
)
def test_hours(text, expected):
    assert hours(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "2d", "-1", "1h30m", "nan", "inf", "1e3", "m", ".", "two"])
def test_no_hours(text):
    with pytest.raises(ConfigError, match="--max-time"):
        hours(text)
