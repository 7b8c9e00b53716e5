"""8-bit arithmetic for OpenVINO: a network's convolutions and linear layers, calibrated on pictures by NNCF."""

from __future__ import annotations

import io
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import nncf
import numpy as np
import openvino
from nncf.quantization.advanced_parameters import OverflowFix
from nncf.quantization.range_estimator import RangeEstimatorParametersSet

from models.exporting.saturation import saturates
from models.exporting.sensitivity import part_of

GROUPED = "GroupConvolution"
PRODUCTS = ("Convolution", GROUPED, "MatMul")
NO_WORK = ("Constant", "Parameter", "Result")


def quantised_openvino(
    model: openvino.Model, calibration: Sequence[np.ndarray], float_parts: Collection[str]
) -> openvino.Model:
    """A copy of the float32 `model` with weights of 8 bits (per output channel) and inputs of 8 bits where
    `worth_8_bits` says so; `calibration` (1, C, H, W) float32 in 0..1, at least one picture, gives their ranges.
    """
    assert calibration, "what a tensor's range is, only pictures tell"
    chosen = worth_8_bits(model, float_parts)
    others = [op.get_friendly_name() for op in model.get_ops() if op.get_type_name() not in NO_WORK]
    ignored = nncf.IgnoredScope(names=[name for name in others if name not in chosen], validate=False)
    # Ranges are the extremes seen. NNCF's own, means of the pictures' extremes, cut off what a defect alone activates:
    # scores were twice as far from float's. Correcting biases took up to three times as long and brought nothing.
    settings = nncf.AdvancedQuantizationParameters(
        activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        disable_bias_correction=True,
        overflow_fix=OverflowFix.ENABLE if saturates() else None,
    )
    if not chosen:
        return model.clone()
    with _quiet():
        return nncf.quantize(
            model,
            nncf.Dataset(list(calibration)),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(calibration),
            ignored_scope=ignored,
            advanced_parameters=settings,
        )


def worth_8_bits(model: openvino.Model, float_parts: Collection[str]) -> set[str]:
    """Names of what to compute in 8 bits: products with weights, of parts that are not in `float_parts`.

    Not the depthwise ones, which lose most and are cheap in float; nor those whose outputs the decoding reads.
    """
    decoded, chosen = _last_products(model), set()
    for op in model.get_ordered_ops():
        name, part = op.get_friendly_name(), part_of(op.get_friendly_name())
        if op.get_type_name() not in PRODUCTS or part is None or part in float_parts or name in decoded:
            continue
        if op.input_value(1).get_node().get_type_name() == "Constant" and not _depthwise(op):
            chosen.add(name)
    return chosen


def _depthwise(op: openvino.Node) -> bool:
    # weights of groups are (groups, C_out / groups, C_in / groups, height, width)
    return op.get_type_name() == GROUPED and op.get_input_partial_shape(1)[2].get_length() == 1


def _last_products(model: openvino.Model) -> set[str]:
    """Names of the products that no other product lies behind."""
    waiting, seen, found = list(model.get_results()), set(), set()
    while waiting:
        op = waiting.pop()
        name = op.get_friendly_name()
        if name in seen:
            continue
        seen.add(name)
        if op.get_type_name() in PRODUCTS:
            found.add(name)
        else:
            waiting += [value.get_node() for value in op.input_values()]
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep NNCF's log and progress bars off the console."""
    log = logging.getLogger("nncf")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        log.setLevel(level)
