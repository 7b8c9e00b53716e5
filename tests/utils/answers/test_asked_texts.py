import pytest

from utils.answers.asked_texts import MOST, asked_texts
from utils.words.errors import ConfigError


def test_flags_first_then_the_lines_of_the_file_each_once(tmp_path):
    path = tmp_path / "q.txt"
    path.write_bytes("\ufeffhow many holes?\r\n\r\n  有没有裂纹?  \nis it good?\n".encode())
    assert asked_texts(["is it good?", "is it good?"], str(path)) == ("is it good?", "how many holes?", "有没有裂纹?")
    assert asked_texts([], "") == () and asked_texts(["a?"], "") == ("a?",)


def test_so_many_questions_and_no_more(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("\n".join(f"how many {k}?" for k in range(MOST)), encoding="utf-8")
    assert len(asked_texts([], str(path))) == MOST
    with pytest.raises(ConfigError, match="--ask: 1,001 questions, at most 1,000 are possible"):
        asked_texts(["one more?"], str(path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n  \n", "holds no question"),
        (b"", "holds no question"),
        (b"\xff\xfe?", "is not UTF-8 text"),
        (None, "q.txt: "),
    ],
)
def test_files_that_ask_nothing(tmp_path, content, message):
    path = tmp_path / "q.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        asked_texts([], str(path))
    assert str(caught.value).startswith("--ask-file ") and message in str(caught.value)
    assert "\n" not in str(caught.value)
