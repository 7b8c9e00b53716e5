import pytest

from utils.flags.detect_flags import parse_detect
from utils.flags.refused_flags import REFUSED
from utils.flags.train_flags import parse_train
from utils.flags.val_flags import parse_val
from utils.words.errors import ConfigError

PARSERS = {"train.py": parse_train, "val.py": parse_val, "detect.py": parse_detect}
PUBLISHED = {  # the specification's list
    "train.py": "--evolve --evolve_population --resume_evolve --quad --bucket --entity --upload_dataset "
    "--bbox_interval --artifact_alias --ndjson-console --ndjson-file",
    "val.py": "--save-hybrid --dnn",
    "detect.py": "--visualize --update --dnn",
}
CASES = [(script, flag) for script, flags in PUBLISHED.items() for flag in flags.split()]


@pytest.mark.parametrize(("script", "flag"), CASES)
def test_each_is_one_sentence(script, flag):
    for words in (
        [flag],
        [f"{flag}=3"],
        [flag, "3"],
        ["--nonsense", flag],
        [f"–{flag.removeprefix('--')}", "--device"],
    ):
        with pytest.raises(ConfigError) as caught:
            PARSERS[script](words)
        said = str(caught.value)
        assert said == f"{script}: {flag}: {REFUSED[script][flag]}" and "\n" not in said


def test_a_value_is_no_flag():
    assert parse_train(["--name=--quad"]).settings[0].value == "--quad"
    assert parse_val(["--name", "augment"]).name == "augment"
