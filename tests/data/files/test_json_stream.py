"""The streamed lists against what the json module reads, at every size of the pieces, whole files and broken ones."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.files.json_stream import read_lists
from utils.words.errors import DataError

KEYS = ("images", "annotations")
BIG = 1 << 40

texts = st.text(st.sampled_from('ab"\\{}[],: \n瓶🙂'), max_size=6)
leaves = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | texts
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
entries = st.lists(st.dictionaries(texts, values, max_size=3) | leaves, max_size=8)
optional = {"images": entries, "annotations": entries | leaves, "info": values, "": values}
documents = st.fixed_dictionaries({}, optional=optional)
pieces = st.integers(1, 60)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]


def read(path):
    lists = {}
    for key, found in read_lists(path, KEYS, BIG):
        if found is None:
            lists[key] = None
        else:
            lists.setdefault(key, []).extend(found)
    return lists


@given(documents, pieces, st.sampled_from([None, 0, 1, "\t"]), st.sampled_from(ENCODINGS))
def test_lists_are_those_of_json(tmp_path_factory, document, piece, indent, encoding):
    path = tmp_path_factory.getbasetemp() / "stream.json"
    path.write_text(json.dumps(document, indent=indent, ensure_ascii=piece % 2 == 0), encoding=encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data.files.json_stream.PIECE", piece)
        want = {key: value if isinstance(value, list) else None for key, value in document.items() if key in KEYS}
        assert read(path) == want


@given(documents, pieces, st.data())
def test_broken_files_are_refused_with_the_line_of_json(tmp_path_factory, document, piece, data):
    text = json.dumps(document, indent=1)
    at = data.draw(st.integers(0, len(text) - 1))
    put = data.draw(st.sampled_from(["", "}", "]", ",", "x", '"', "\n:", "{"]))
    text = text[:at] + put + text[at + data.draw(st.integers(0, 2)) :]
    path = tmp_path_factory.getbasetemp() / "broken.json"
    path.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data.files.json_stream.PIECE", piece)
        try:
            whole = json.loads(text)
        except json.JSONDecodeError as error:
            with pytest.raises(
                DataError, match=rf"broken\.json:{error.lineno}: not valid JSON: {re.escape(error.msg)}"
            ):
                read(path)
        else:
            if isinstance(whole, dict) and text.count('"images"') + text.count('"annotations"') <= 2:
                found = read(path)
                assert {k: v for k, v in found.items() if v is not None} == {
                    k: v for k, v in whole.items() if k in KEYS and isinstance(v, list)
                }


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    """No piece is larger than what was read at a time, whatever stands in the last braces of it."""
    rows = [
        {"id": i, "bbox": [1, 2, 3, 4], "segmentation": {"counts": "}{" * (i % 7), "size": [1, 2]}} for i in range(5000)
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"annotations": rows}))
    monkeypatch.setattr("data.files.json_stream.PIECE", 1 << 12)
    found = [found for _, found in read_lists(path, KEYS, BIG)]
    assert sum(found, []) == rows and max(map(len, found)) < 200


def test_too_large_or_no_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("{}")
    with pytest.raises(DataError, match="has 2 bytes, more than the 1 allowed"):
        list(read_lists(path, KEYS, 1))
    with pytest.raises(DataError, match="cannot be read"):
        list(read_lists(tmp_path, KEYS, 9))
