import pytest

from utils.words.private_paths import is_reduced, without_folders


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/data/glass/my.yaml", ".../my.yaml"),
        ("data/glass/my.yaml", "data/glass/my.yaml"),
        ("../glass/my.yaml", "../glass/my.yaml"),
        ("~/glass/my.yaml", "~/glass/my.yaml"),
        ("my.yaml", "my.yaml"),
        ("/my.yaml", ".../my.yaml"),
        ("/data/glass/", ".../glass/"),
        ("--data=/nowhere/Jane Doe/my.yaml", "--data=.../my.yaml"),
        ("vectors:/nowhere/words.safetensors", "vectors:.../words.safetensors"),
        ("open_clip:ViT-B-32:/nowhere/clip.pt", "open_clip:ViT-B-32:.../clip.pt"),
        ("--set data.root=/nowhere/pictures", "--set data.root=.../pictures"),
        ("/nowhere/labels/a.txt:3: no number", ".../a.txt:3: no number"),
        ("left out: '/nowhere/a b.png'", "left out: '.../a b.png'"),
        ("one at /nowhere/a.png, one at /nowhere/b.png", "one at .../a.png, one at .../b.png"),
        ("//nowhere/Jane/my.yaml", ".../my.yaml"),
        ("--data //nowhere/Jane/my.yaml", "--data .../my.yaml"),
        ("https://host.example/a/b", "https://host.example/a/b"),
        ("metrics/mAP_0.5 and a / b, 3/4", "metrics/mAP_0.5 and a / b, 3/4"),
        ("{stem}/{channel}.png **/*.png <b>x</b>", "{stem}/{channel}.png **/*.png <b>x</b>"),
        (r"C:\Users\Jane\my.yaml", ".../my.yaml"),
        ("C:/Users/Jane/my.yaml", ".../my.yaml"),
        ("/nul\0/x/y.yaml", ".../y.yaml"),
        ("", ""),
    ],
)
def test_paths_in_texts(given, shown):
    assert without_folders(given) == shown
    assert is_reduced(shown) == (given != shown)
    assert without_folders(shown) == shown


def test_the_disk_knows_where_a_folder_with_blanks_ends(tmp_path):
    folder = tmp_path / "Jane Doe, home: pictures"
    folder.mkdir()
    text = f"1 of 2 is bad: {folder}/a.png: cannot be read"
    assert without_folders(text) == "1 of 2 is bad: .../a.png: cannot be read"


def test_nested_values_keep_their_types():
    value = {"a": ["/x/y", 3, None, ("/x/z",)], "/x/key": 1.5}
    assert without_folders(value) == {"a": [".../y", 3, None, (".../z",)], "/x/key": 1.5}
