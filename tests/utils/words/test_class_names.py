import pytest

from utils.words.class_names import mapped_names, read_class_mapping, wanted_classes
from utils.words.errors import ConfigError


def test_classes_by_name_or_number():
    assert wanted_classes(["OIL", "0"], ("bubble", "oil")) == (1, 0) and wanted_classes([], ("a",)) is None
    with pytest.raises(ConfigError, match="bubble, oil"):
        wanted_classes(["crack"], ("bubble", "oil"))


def test_mapping_from_words_or_a_file(tmp_path):
    assert read_class_mapping("a=b, oil stain = oil") == {"a": "b", "oil stain": "oil"}
    (tmp_path / "m.yaml").write_text("a: b\n1: '2'\n'x=y': z\n")
    assert read_class_mapping(str(tmp_path / "m.yaml")) == {"a": "b", "1": "2", "x=y": "z"}


def test_mapped_names_may_swap_and_merge():
    assert mapped_names(("A", "b", "c"), {"a": "b", "B": "a"}, ("a", "b", "c")) == ("b", "a", "c")
    assert mapped_names(("x", "y"), {"x": "d", "y": "d"}, ("d",)) == ("d", "d")


@pytest.mark.parametrize("text", ["a", "a=", "=b", "a=b,", "a=b,a=c"])
def test_mistakes_in_words(text):
    with pytest.raises(ConfigError, match="--map-classes"):
        read_class_mapping(text)


def test_mistakes_in_a_file_name_the_line(tmp_path):
    path = tmp_path / "m.yaml"
    for content, line in (("- a\n", 1), ("a: b\nc: [d]\n", 2)):
        path.write_text(content)
        with pytest.raises(ConfigError, match=f"m.yaml:{line}"):
            read_class_mapping(str(path))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_class_mapping(str(tmp_path / "gone.yaml"))


def test_unknown_names_say_where():
    with pytest.raises(ConfigError, match="checkpoint has no class 'bubbel'; did you mean 'bubble'"):
        mapped_names(("bubble",), {"bubbel": "void"}, ("void",))
    with pytest.raises(ConfigError, match="data has no class 'viod'; did you mean 'void'"):
        mapped_names(("bubble",), {"bubble": "viod"}, ("void",))
