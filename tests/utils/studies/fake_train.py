"""Stands in for train.py in tests of studies: leaves what a training leaves, without one, and without its imports.

$FAKE is a JSON map: `results`, a folder with folders 0, 1, ... of results; `opt`, an opt.yaml of seed 0 and loss.iou
inforced; `sleep`, s between the checkpoint and the results; `fail`, exit codes by loss.iou.
"""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

FAKE = json.loads(os.environ["FAKE"])


def stopped(number, _):
    print(f"stopped by {signal.Signals(number).name}; saved", flush=True)
    sys.exit(128 + number)


def begin(words):
    """A new run's folder, and the text of its opt.yaml."""
    flags = dict(zip(words, words[1:], strict=False))
    folder = Path(flags["--project"]) / flags["--name"]
    (folder / "weights").mkdir(parents=True, exist_ok=True)
    iou = "ciou" if "loss.iou=ciou" in words else "inforced"
    opt = FAKE["opt"].replace("  seed: 0", f"  seed: {flags['--seed']}").replace("  iou: inforced", f"  iou: {iou}")
    (folder / "opt.yaml").write_text(opt)
    (folder / "run.json").write_text(json.dumps({"git": "0123456789ab", "machine": {"threads": 1}}))
    return folder, opt


def main(words):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stopped)
    if words[0] == "--resume":
        folder = Path(words[1]).parent.parent
        opt = (folder / "opt.yaml").read_text()
        assert (folder / "weights" / "last.pt").is_file()
    else:
        folder, opt = begin(words)
    iou, seed = "ciou" if "\n  iou: ciou" in opt else "inforced", int(opt.split("  seed: ")[1].split()[0])
    print("training", iou, flush=True)
    if code := FAKE.get("fail", {}).get(iou):
        print(f"error[FAKE]: {iou}: does not work; mend it", file=sys.stderr)
        return code
    (folder / "weights" / "last.pt").write_text("")
    time.sleep(FAKE.get("sleep", 0))
    kinds = Path(FAKE["results"])
    shutil.copytree(kinds / str(seed * 2 + (iou == "ciou")), folder, dirs_exist_ok=True)
    (folder / "report.json").write_text("{}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
