"""Names per split, from files and from categories: what is read, what is said, and where a mistake is."""

import json

import pytest

from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy, read_records
from tests.data import trees
from utils.words.errors import ConfigError, DataError

ERROR = ReadPolicy(bad_data="error", drop_duplicates=False, workers=1)
PLACES = "train: images/train\nval: images/val\n"
OTHERS = ("resin spot", "Dent", "knot hole")  # of val: one is trained too, under another number
BOTH = {"train": trees.NAMES, "val": OTHERS}


@pytest.fixture
def home(tmp_path):
    for split in trees.SPLITS:
        (tmp_path / "images" / split).mkdir(parents=True)
    trees.text(tmp_path / "lists/three.txt", "\ufeffKnot\n crack \nresin spot\n\n")
    trees.text(tmp_path / "lists/words.json", '[["crack", "fissure", "Crack"], ["dust"]]')
    return tmp_path


def described(home, text, places=PLACES, **keys):
    trees.text(home / "data.yaml", places + text)
    return read_description(home / "data.yaml", **keys)


def refused(home, text, **keys):
    with pytest.raises((ConfigError, DataError)) as caught:
        described(home, text, **keys)
    assert "\n" not in str(caught.value) and str(home) in str(caught.value)
    return str(caught.value)


WORDS = (("crack", "fissure"), ("dust",))


@pytest.mark.parametrize(
    ("names", "train", "val"),
    [
        ("[a, b]", (("a",), ("b",)), None),
        ("lists/three.txt", (("Knot",), ("crack",), ("resin spot",)), None),
        ("lists/words.json", WORDS, None),
        ("{train: [a, b], val: [c]}", (("a",), ("b",)), (("c",),)),
        ("{val: {1: b, 0: train}, train: lists/words.json}", WORDS, (("train",), ("b",))),
        ("{train: [a, b], val: [b, A], test: [c]}", (("a",), ("b",)), (("b",), ("A",))),
    ],
)
def test_forms(home, names, train, val):
    description, notices = described(home, f"names: {names}\n")
    assert notices == () and description.synonyms == {"train": train, "val": val or train}
    assert description.names == description.names_of("train") == tuple(row[0] for row in train)
    assert description.names_of("val") == tuple(row[0] for row in val or train)
    single = description.single_class()
    assert single.names_of("train") == single.names_of("val") == ("defect",)
    assert single.synonyms["val"] == (("defect",),)


def test_files_lie_relative_to_the_yaml(home, tmp_path):
    trees.text(home / "cfg/x.yaml", f"path: ..\n{PLACES}names: ../lists/three.txt\n")
    assert read_description(home / "cfg/x.yaml")[0].names == trees.NAMES


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: {train: [a]}\n", "data.yaml:3: names of val are missing; write {val: [...]} as well"),
        ("names:\n  train: [a]\n  val:\n", "data.yaml:5: names of val are missing"),
        ("names:\n  val: [a]\n  trian: [a]\n", "data.yaml:5: 'trian' is not a split; did you mean 'train'?"),
        ("names:\n  train: [a]\n  0: b\n", "data.yaml:5: '0' is not a split, as the other keys here are"),
        (
            "names:\n  trian: [a]\n",
            "data.yaml:4: class id 'trian' must be a whole number from 0 up; did you mean 'train'?",
        ),
        ("names:\n  train: [a]\n  val:\n  - b\n  - c\n  - B\n", "data.yaml:8: classes 0 and 2 are both called 'B'"),
        ("names:\n  train: [a]\n  val: {0: a, 2: b}\n", "data.yaml:5: names has no class 1"),
        ("names:\n  train: [a]\n  val: [a, ~]\n", "data.yaml:5: class 1 has no name"),
        ("names:\n  train: [a]\n  val: []\n", "data.yaml:5: 'names' is empty"),
        ("names:\n  train: 3\n  val: [a]\n", "data.yaml:4: 'names' must list the classes or name a .txt or .json file"),
        ("names:\n  train: [a]\n  val: lists/thre.txt\n", "thre.txt does not exist; did you mean 'three.txt'?"),
        ("names: nowhere/x.json\n", "data.yaml:3: names: "),
        ("names: nowhere/x.json\n", "does not exist; it is looked up relative to this file"),
        ("names: {train: [a, b], val: [c]}\nnc: 1\n", "data.yaml:4: nc is 1 but names has 2"),
        ("names: {train: [a, b], val: [c]}\nremap:\n  d: a\n", "data.yaml:5: 'd' is not in names; names has a, b, c"),
        ("names: {train: [a, b], val: [c]}\nremap: {c: ignore}\n", "data.yaml:4: every class is ignored"),
    ],
)
def test_mistakes_name_their_line(home, text, words):
    assert words in refused(home, text)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.txt", "a\nb\nA\n", "x.txt:3: 'A' is also on line 1"),
        ("x.txt", "a\n\nb\n", "x.txt:2: an empty line"),
        ("x.txt", "", "x.txt: is empty"),
        ("x.json", '[["a"],\n["b",]]', "x.json:2: not JSON"),
        ("x.json", '[["a", "b"], ["c", "B"]]', "x.json: class 0 and class 1 are both called 'B'"),
        ("x.json", '[["a"], [5]]', "x.json: class 1 must be a list of names"),
        ("x.json", '["a", "b"]', "x.json: class 0 must be a list of names"),
        ("x.json", "[]", "x.json: must be a list of synonym lists"),
    ],
)
def test_mistakes_in_files(home, name, content, words):
    trees.text(home / name, content)
    assert words in refused(home, f"names: {name}\n")


def test_remap_counts_where_the_name_is(home):
    text = "names: {train: [dust, crack, hair], val: [Hair, dirt]}\nremap: {dust: hair, hair: ignore, dirt: grime}\n"
    description, notices = described(home, text)
    assert description.classes["train"].targets == (-1, 0, -1) and description.names == ("crack",)
    assert description.classes["val"].targets == (-1, 0) and description.names_of("val") == ("grime",)
    assert [notice.partition(": ")[2] for notice in notices] == [
        "dust + hair -> ignore",
        "dirt -> grime, Hair -> ignore",
    ]


def test_remapped_synonyms_are_those_of_the_name_kept(home):
    trees.text(
        home / "w.json", '[["crack", "fissure"], ["scratch light", "scuff"], ["scratch", "score"], ["dust", "d"]]'
    )
    description, _ = described(home, "names: w.json\nremap: {scratch light: scratch, dust: dirt}\n")
    assert description.synonyms["train"] == (("crack", "fissure"), ("scratch", "score"), ("dirt",))


def write_yaml(home, **keys):
    trees.text(home / "own.yaml", json.dumps({"train": "train/images", "val": "val/images", **keys}))
    return read_description(home / "own.yaml")


def assert_rows(description, truth, names):
    for split in trees.SPLITS:
        result = read_records(description, split, ERROR)
        assert result.names == description.names_of(split)
        assert trees.rows_of(result) == trees.rows_wanted(truth, split, names[split])


@pytest.mark.parametrize("from_json", [True, False])
def test_records_of_a_split_have_its_names(tmp_path, from_json):
    """Three classes in each split, of which one is shared: with `names` and, without, by the categories."""
    truth = trees.make_truth(5)
    trees.write_mmioc(tmp_path, truth, BOTH)
    description, notices = write_yaml(tmp_path, **({} if from_json else {"names": BOTH}))
    assert description.names == trees.NAMES and description.names_of("val") == OTHERS
    assert_rows(description, truth, BOTH)
    if from_json:
        said = "train and val name different classes, 1 of them in both; each keeps its own"
        assert notices[2] == said and "train.json: Knot, crack, resin spot" in notices[0] and "Dent" in notices[1]
    folder, _ = read_description(tmp_path)
    assert folder.synonyms == description.synonyms, "a bare folder says the same"


def test_txt_numbers_follow_the_names_of_the_split(tmp_path):
    truth = trees.make_truth(1)
    trees.write_yolo(tmp_path, truth)
    places = {split: f"images/{split}" for split in trees.SPLITS}
    description, _ = write_yaml(tmp_path, names=BOTH, **places)
    assert_rows(description, truth, BOTH)
    description, _ = write_yaml(tmp_path, names={"train": trees.NAMES, "val": ["x"]}, **places)
    with pytest.raises(DataError, match="class"):
        read_records(description, "val", ERROR)


def write_jsons(home, truth, ids, names):
    """The same truth in both splits' jsons, `ids[split]` and `names[split]` being those of the categories."""
    trees.write_mmioc(home, truth)
    for split in trees.SPLITS:
        listed = {f"{stem}.png": rows for stem, rows in truth[split].items()}
        trees.text(home / split / f"annotations/{split}.json", trees.coco(listed, names[split], ids[split]))


def test_categories_with_shuffled_ids(tmp_path):
    """Class k of train has another id in val: the order is that of train's ids, and boxes keep their names."""
    truth = trees.make_truth(4)
    ids = {"train": (7, 3, 12), "val": (1, 2, 90)}
    write_jsons(tmp_path, truth, ids, {"train": trees.NAMES, "val": ("knot", "CRACK", "resin  spot")})
    description, notices = write_yaml(tmp_path)
    order = ("crack", "Knot", "resin spot")
    assert description.names == description.names_of("val") == order
    assert len(notices) == 2 and "val.json: numbers the classes otherwise than train" in notices[1]
    assert_rows(description, truth, {"train": trees.NAMES, "val": trees.NAMES})
    assert [read_records(description, s, ERROR).category_ids for s in trees.SPLITS] == [(3, 7, 12), (2, 1, 90)]


def test_fewer_categories_in_val_are_no_other_classes(tmp_path):
    truth = trees.make_truth(0)
    truth["val"] = {stem: [row for row in rows if row[0] < 2] for stem, rows in truth["val"].items()}
    write_jsons(tmp_path, truth, {s: None for s in trees.SPLITS}, {"train": trees.NAMES, "val": trees.NAMES[:2]})
    description, notices = write_yaml(tmp_path, nc=3)
    assert description.names_of("val") == trees.NAMES
    assert notices[1].endswith("val.json: has 2 of the 3 classes of train; all of them count")
    assert_rows(description, truth, {"train": trees.NAMES, "val": trees.NAMES})
    with pytest.raises(ConfigError, match=r"own\.yaml:1: nc is 2 but names has 3"):
        write_yaml(tmp_path, nc=2)


def test_several_jsons_of_a_split_are_united(tmp_path):
    trees.write_mmioc(tmp_path, trees.make_truth(0), BOTH)
    both = ["train/annotations/train.json", "val/annotations/val.json"]
    description, notices = write_yaml(tmp_path, train=both, val=both[1])
    assert description.names == description.names_of("val") == (*trees.NAMES, "Dent", "knot hole")
    assert "has 3 of the 5 classes of train" in notices[-1]


def test_a_split_without_a_json_has_the_names_of_the_others(tmp_path):
    truth = trees.make_truth(0)
    trees.write_mmioc(tmp_path, truth)
    (tmp_path / "val/annotations/val.json").unlink()
    assert write_yaml(tmp_path)[0].names_of("val") == trees.NAMES


def test_names_are_text_and_nothing_else(tmp_path):
    odd = ("<script>alert(1)</script>", "=SUM(A1)", "../../x")
    trees.write_mmioc(tmp_path, trees.make_truth(0), {split: odd for split in trees.SPLITS})
    assert write_yaml(tmp_path)[0].names == odd


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("a", True, "c"), r"train\.json: categories\[1\]\.name: missing or not a text"),
        (("a", None, "c"), r"train\.json: categories\[1\]\.name: missing or not a text"),
        (("a", " ", "c"), r"train\.json: categories: class 1 is empty"),
        (("a", "b\x1b[31m", "c"), r"train\.json: categories: class 1 holds control characters"),
        (("a", "b" * 5000, "c"), r"train\.json: categories: class 1 has 5,000 characters"),
    ],
)
def test_categories_that_are_no_names(tmp_path, names, words):
    trees.write_mmioc(tmp_path, trees.make_truth(0), {"train": names, "val": trees.NAMES})
    with pytest.raises((ConfigError, DataError), match=words) as caught:
        write_yaml(tmp_path)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_categories_of_one_name_are_one_class(tmp_path):
    trees.write_mmioc(tmp_path, trees.make_truth(0), {"train": ("a", 5, "A"), "val": ("5", "a", "a")})
    description, _ = write_yaml(tmp_path)
    assert description.names == description.names_of("val") == ("a", "5")
    result = read_records(description, "train", ERROR)
    assert {int(label) for record in result.records for label in record.labels} == {0, 1}
    assert any("category id of a class that has another one" in notice for notice in result.data_report.notices)


def test_a_json_without_categories(tmp_path):
    trees.write_mmioc(tmp_path, trees.make_truth(0))
    trees.text(tmp_path / "train/annotations/train.json", '{"images": [], "annotations": [], "categories": []}')
    with pytest.raises(ConfigError, match=r"train\.json: categories: there are none"):
        write_yaml(tmp_path)


def test_neither_names_nor_json(home):
    message = refused(home, "nc: 2\n")
    assert "data.yaml:1: 'names' is missing, and no COCO json is there; add e.g. 'names: [knot, crack]'" in message
    assert "'names: FILE.txt' (one per line) or 'annotations: {train: annotations/train.json}'" in message
    assert message == refused(home, "names:\n").replace(":3: ", ":1: ")
    places = PLACES.replace("images/val", "images/vale")
    assert "images/vale does not exist" in refused(home, "", places=places), "missing pictures come first"


@pytest.mark.parametrize("kind", ["coco", "voc"])
def test_a_class_is_found_by_its_synonyms(tmp_path, kind):
    truth = trees.make_truth(2)
    places = {split: f"images/{split}" for split in trees.SPLITS}
    trees.write_coco(tmp_path, truth) if kind == "coco" else trees.write_voc(tmp_path, truth)
    trees.text(tmp_path / "words.json", '[["pitch", "Resin Spot"], ["branch", "knot"], ["fissure", "CRACK", "cleft"]]')
    description, _ = write_yaml(tmp_path, names="words.json", **places)
    assert_rows(description, truth, dict.fromkeys(trees.SPLITS, ("branch", "fissure", "pitch")))
    wrong = {'[["pitch", "Resin Spot"], ["branch"], ["fissure", "crack"]]': "'Knot'"}
    for content, words in wrong.items():
        trees.text(tmp_path / "words.json", content)
        description, _ = write_yaml(tmp_path, names="words.json", **places)
        with pytest.raises(DataError, match=words):
            read_records(description, "train", ERROR)
