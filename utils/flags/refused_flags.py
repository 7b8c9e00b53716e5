"""Flags of YOLOv5's scripts that are refused, each with the reason and an alternative."""

from __future__ import annotations

from collections.abc import Iterable

from utils.words.errors import ConfigError

_EVOLVE = "hyper-parameters are not evolved here; start runs with --set section.name=value and compare results.csv"
_TRACKING = "nothing is sent to a tracking service; --log tensorboard,mlflow keeps a run in files of this machine"
_LOGGING = "there is no ndjson log; results.csv has a row per epoch, train.log every message"
_DNN = "OpenCV's DNN runs no checkpoints; leave it out, --device chooses the processor"
_HYBRID = (
    "labels mixed with detections would be scored as truth; predictions.json has the detections, truth.json the truth"
)

REFUSED: dict[str, dict[str, str]] = {
    "train.py": {
        **dict.fromkeys(("--evolve", "--evolve_population", "--resume_evolve"), _EVOLVE),
        "--quad": "there is no quad loader; --img sets a larger network input, --batch more pictures per step",
        "--bucket": "nothing is fetched from or sent to a cloud; copy the run folder yourself",
        **dict.fromkeys(("--entity", "--upload_dataset", "--bbox_interval", "--artifact_alias"), _TRACKING),
        **dict.fromkeys(("--ndjson-console", "--ndjson-file"), _LOGGING),
    },
    "val.py": {"--dnn": _DNN, "--save-hybrid": _HYBRID},
    "detect.py": {
        "--dnn": _DNN,
        "--save-hybrid": _HYBRID,
        "--visualize": "feature maps are not drawn; python val.py --cfg X.yaml --summary shows rows and their shapes",
        "--update": "there is nothing to strip; best.pt holds the averaged weights without the optimizer already",
    },
}


def refuse(words: Iterable[str], script: str) -> None:
    """Raise ConfigError for the first of `words` that `script` (such as train.py) refuses, whatever its value."""
    reasons = REFUSED.get(script, {})
    for word in words:
        flag = word.partition("=")[0]
        if flag in reasons:
            raise ConfigError(f"{script}: {flag}: {reasons[flag]}")
