import itertools

import numpy as np
from PIL import Image

from utils.drawing.plots import plot_times
from utils.processes.speed import Speed, spread, time_steps


def test_steps_are_chained_and_timed_apart():
    ticks = itertools.chain.from_iterable((t, t + d) for t, d in zip(range(0, 100, 10), (1, 2, 3, 4), strict=False))
    waits, seen = [], []
    steps = {"read": lambda v: v + 1, "nms": lambda v: seen.append(v) or v}
    spent = time_steps([10, 20], steps, lambda: waits.append(0), lambda: next(ticks))
    assert seen == [11, 21] and len(waits) == 8  # before and after each step
    assert spent["read"].tolist() == [1000, 3000] and spent["nms"].tolist() == [2000, 4000]


def test_percentiles_and_rate():
    steps = {"read": np.arange(1.0, 102), "forward": np.full(101, 9.0), "nms": np.zeros(101)}
    speed = Speed(steps, 202, {"device": "cpu", "batch": 2})
    plain = speed.plain()
    assert plain["ms_per_picture"]["read"] == {"p50": 51, "p95": 96, "p99": 100, "mean": 51}
    assert plain["ms_per_picture"]["total"]["p95"] == 105 and plain["pictures_per_second"] == 1000 / 60
    assert (plain["batch"], plain["batches"], plain["pictures"]) == (2, 101, 202)
    assert "16.7 pictures/s over 202 pictures; device cpu" in speed.lines()[-1]


def test_spread_takes_full_batches_only():
    assert spread([[0, 1], [2, 3], [4]], 5) == [[0, 1], [2, 3], [0, 1], [2, 3], [0, 1]]
    assert spread([[i] for i in range(100)], 3) == [[0], [50], [99]]


def test_picture(tmp_path):
    path = plot_times({"read": np.ones(20), "total": np.arange(20.0)}, tmp_path / "speed.png", "9 pictures/s")
    assert Image.open(path).size == (800, 320)
