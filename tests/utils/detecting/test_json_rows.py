import json

from utils.detecting.json_rows import JsonRows
from utils.files.output_files import Results


def test_rows_are_a_json_list(tmp_path):
    for count in (0, 1, 3):
        path = tmp_path / f"{count}.json"
        rows = JsonRows(path, Results())
        for i in range(count):
            rows.add({"n": i, "name": "图\udc80"})
        assert not path.exists()
        rows.close()
        assert json.loads(path.read_text(encoding="utf-8")) == [{"n": i, "name": "图\udc80"} for i in range(count)]
        assert not list(tmp_path.glob(".*"))
