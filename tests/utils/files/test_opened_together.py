"""What is opened together is finished together, in reverse, also when one of them cannot be opened."""

import pytest

from utils.files.opened_together import OpenedTogether


class Two(OpenedTogether):
    def __init__(self, fails):
        self.fails, self.seen = fails, []

    def _open(self, stack):
        for name in ("one", "two"):
            if name == self.fails:
                raise OSError(name)
            stack.callback(self.seen.append, name)


def test_all_are_finished():
    with Two("") as two:
        assert not two.seen
    assert two.seen == ["two", "one"]


def test_half_open_is_finished():
    two = Two("two")
    with pytest.raises(OSError, match="two"), two:
        raise AssertionError("not reached")
    assert two.seen == ["one"]
