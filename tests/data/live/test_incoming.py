"""What a line refuses before it judges anything."""

import pytest

from data.live.incoming import check_whole
from utils.values.channels import Channels
from utils.words.errors import ConfigError


@pytest.mark.parametrize(
    "channels",
    [
        Channels(image=("r", "g", "b", "nir"), files="{stem}_{channel}.png"),
        Channels(polar=("dolp",), polar_dir="polar"),
    ],
)
def test_pictures_of_several_files_are_not_parted(channels):
    """Only the first would go to OK or NG, and the others be left behind, or judged by themselves."""
    with pytest.raises(ConfigError, match="--move-to: each picture of this network has several files"):
        check_whole("judged", channels)
    check_whole("", channels)
    check_whole("judged", Channels())
