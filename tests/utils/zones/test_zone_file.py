import re

import pytest

from utils.words.errors import ConfigError
from utils.zones.zone_file import read_zones

NAMES = ("scratch", "oil", "1.10")
GOOD = """
size: [640, 480]
counts: touch
zones:
  - name: glass
    use: in
    polygon: [[20, 20], [620, 20], [620, 460], [20, 460], [20, 20]]
  - name: 7
    use: out
    polygon: [[3e1, 40], [200.5, 40], [200, 180]]
    classes: [OIL, 1.10]
  - {name: lone, use: out, polygon: [[0, 0], [640, 0], [640, 480]], classes: scratch}
"""


def written(tmp_path, text):
    path = tmp_path / "zones.yaml"
    path.write_text(text)
    return path


def test_what_a_file_says(tmp_path):
    zones = read_zones(written(tmp_path, GOOD), NAMES)
    assert (zones.size, zones.counts, [one.name for one in zones.zones]) == (
        (640, 480),
        "touch",
        ["glass", "7", "lone"],
    )
    assert [one.inside for one in zones.zones] == [True, False, False]
    assert [one.labels for one in zones.zones] == [None, {1, 2}, {0}]
    assert len(zones.zones[0].corners) == 4, "the last corner, which is the first again, is left out"
    assert zones.zones[1].corners.tolist() == [[30, 40], [200.5, 40], [200, 180]]
    assert zones.identity.file == "zones.yaml" and zones.identity.count == 3
    assert zones.identity.words().startswith("zones.yaml (3 zones, sha256 ")


def test_the_digest_is_that_of_sha256sum(tmp_path):
    zones = read_zones(written(tmp_path, "zones: [{name: a, use: in, polygon: [[0, 0], [1, 0], [0, 1]]}]\n"), NAMES)
    assert (
        zones.identity.digest == "2d0d1273444be6facfc573a7eeba60aa" and zones.size is None and zones.counts == "centre"
    )


def zone(polygon="[[0, 0], [9, 0], [0, 9]]", name="a", use="in", more=""):
    return f"- {{name: {name}, use: {use}, polygon: {polygon}{more}}}\n"


SIZED = "size: [9, 9]\nzones:\n"
BAD = {
    "no map": ("- 1\n", ":1: no zones; `zones` is a list like"),
    "empty": ("", ":1: no zones"),
    "no zones": ("zones: []\n", ":1: no zones"),
    "zones of another kind": ("size: [9, 9]\nzones: 5\n", ":2: no zones"),
    "unknown key": ("sise: [9, 9]\nzones:\n" + zone(), ":1: unknown key 'sise'; did you mean 'size'?"),
    "unknown key of a zone": (
        SIZED + zone(more=", clases: [oil]"),
        ":3: unknown key 'clases'; did you mean 'classes'?",
    ),
    "far key": (SIZED + zone(more=", 5: 1"), ":3: unknown key '5'; known are name, use, polygon, classes"),
    "size": ("size: [9]\nzones:\n" + zone(), ":1: `size` must read like [640, 480]"),
    "size of 0": ("size: [9, 0]\nzones:\n" + zone(), ":1: `size` must read like"),
    "true as size": ("size: [9, true]\nzones:\n" + zone(), ":1: `size` must read like"),
    "counts": ("counts: inside\n" + SIZED + zone(), ":1: `counts` must be centre or touch, not 'inside'"),
    "a zone that is none": (SIZED + "- 5\n", ":3: a zone must read like - {name: label"),
    "no name": (SIZED + "- {use: in, polygon: [[0, 0], [9, 0], [0, 9]]}\n", ":3: a zone needs a `name`"),
    "a list as name": (SIZED + zone(name="[a]"), ":3: a zone needs a `name`"),
    "twice": (SIZED + zone() + zone(name="A"), ":4: zone 'A' appears twice, first on line 3; rename one"),
    "no use": (SIZED + "- {name: a, polygon: [[0, 0], [9, 0], [0, 9]]}\n", "`use` of zone 'a' must be in (count only"),
    "use": (SIZED + zone(use="inn"), ":3: `use` of zone 'a' must be in (count only here) or out (not here), not 'inn'"),
    "no polygon": (SIZED + "- {name: a, use: in}\n", ":3: the polygon of zone 'a' must be a list of corners"),
    "two corners": (SIZED + zone("[[0, 0], [9, 9]]"), ":3: the polygon of zone 'a' has 2 corners; it needs at least 3"),
    "closed line": (SIZED + zone("[[0, 0], [9, 9], [0, 9], [0, 9]]"), "has the corner [0.0, 9.0] twice"),
    "no area": (SIZED + zone("[[0, 0], [3, 3], [9, 9]]"), ":3: the polygon of zone 'a' has no area"),
    "outside": (
        SIZED + zone("[[0, 0], [9.1, 0], [0, 9]]"),
        "has the corner [9.1, 0] outside of the 9 x 9 px of `size`",
    ),
    "outside of 0..1": ("zones:\n" + zone(), "corner [9, 0] outside of the parts of a picture, 0 to 1; give size:"),
    "below 0": (SIZED + zone("[[0, 0], [9, -1], [0, 9]]"), "corner [9, -1] outside"),
    "nan": (SIZED + zone("[[0, 0], [.nan, 0], [0, 9]]"), ":3: the polygon of zone 'a' has [nan, 0]; a corner is x, y"),
    "inf": (SIZED + zone("[[0, 0], [.inf, 0], [0, 9]]"), "a corner is x, y like [10, 20]"),
    "words": (SIZED + zone("[[0, 0], [a, 0], [0, 9]]"), "a corner is x, y like [10, 20]"),
    "true": (SIZED + zone("[[0, 0], [true, 0], [0, 9]]"), "a corner is x, y like [10, 20]"),
    "three numbers": (SIZED + zone("[[0, 0], [9, 0, 1], [0, 9]]"), "a corner is x, y like [10, 20]"),
    "bow tie": (
        SIZED + zone("[[0, 0], [9, 9], [9, 0], [0, 9]]"),
        ":3: the polygon of zone 'a' crosses itself: the edge after corner 1 and the edge after corner 3 meet",
    ),
    "unknown class": (
        SIZED + zone(more=", classes: [oil, scrach]"),
        ":3: unknown class 'scrach'; did you mean 'scratch'",
    ),
    "far class": (SIZED + zone(more=", classes: dust"), ":3: unknown class 'dust'; there are: 'scratch, oil, 1.10'"),
    "a class of another kind": (SIZED + zone(more=", classes: [[oil]]"), ":3: unknown class"),
    "no class": (SIZED + zone(more=", classes: []"), ":3: `classes` names none"),
    "twice a key": ("size: [9, 9]\nsize: [9, 9]\nzones:\n" + zone(), ":2: key 'size' appears twice, first on line 1"),
    "syntax": ("zones: [\n", ": not valid YAML"),
    "many": (SIZED + "".join(zone(name=f"z{k}") for k in range(1001)), ":2: 1,001 zones, more than 1,000; join some"),
    "many corners": (
        SIZED + zone(str([[k % 9, 0.001 * k] for k in range(1001)])),
        "has 1001 corners; it needs at most 1,000",
    ),
}


@pytest.mark.parametrize("text, message", BAD.values(), ids=BAD)
def test_what_is_wrong_is_one_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read_zones(path, NAMES)
    said = str(error.value)
    assert message in said and "\n" not in said
    assert re.match(rf"{re.escape(str(path))}:\d+: .+", said)


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match=r"no\.yaml: cannot be read: No such file or directory; name a file of zones"):
        read_zones(tmp_path / "no.yaml", NAMES)
    with pytest.raises(ConfigError, match="is a folder, not a regular file"):
        read_zones(tmp_path, NAMES)


def test_a_bomb_is_refused_before_it_is_built(tmp_path):
    lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1]"] + [f"a{k}: &a{k} [{','.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 9)]
    with pytest.raises(ConfigError, match="too many or too deeply nested values"):
        read_zones(written(tmp_path, "\n".join([*lines, "zones: *a8"])), NAMES)
