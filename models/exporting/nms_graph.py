"""NMS as ONNX operators behind a network, so that a file gives detections."""

from __future__ import annotations

from typing import Any

from models.exported.exported_network import CONF, COUNT, DETECTIONS, IOU, MOST, PREDICTIONS
from models.exported.libraries import library
from models.exporting.onnx_writer import OPSET

# The operator suppresses within a class. It gives (input, class, box) of what it keeps, class by class, and lets
# "max_det" of each class through; what remains of an input is put into a table of all classes x boxes, whose largest
# scores are the detections. So every input of a batch has its own, as many as it has, in the order of their scores.
GRAPH = f"""
<ir_version: 8, opset_import: ["" : {OPSET}]>
nms (float[batch, boxes, values] {PREDICTIONS}, float[classes] {CONF}, float {IOU}, int64 {MOST})
 => (float[batch, found, 6] {DETECTIONS}, int64[batch] {COUNT})
<int64[1] zero = {{0}}, int64[1] one = {{1}}, int64[1] two = {{2}}, int64[1] four = {{4}},
 int64[1] all_values = {{9223372036854775807}}, int64[1] all_there_is = {{-1}}, float nothing = {{0.0}}>
{{
    xyxy = Slice ({PREDICTIONS}, zero, four, two)
    every = Slice ({PREDICTIONS}, four, all_values, two)
    limits = Unsqueeze ({CONF}, zero)
    passes = Greater (every, limits)
    scores = Where (passes, every, nothing)
    by_class = Transpose <perm = [0, 2, 1]> (scores)
    kept = NonMaxSuppression <center_point_box = 0> (xyxy, by_class, {MOST}, {IOU}, nothing)
    kept_scores = GatherND (by_class, kept)
    nobody = Mul (by_class, nothing)
    table = ScatterND (nobody, kept, kept_scores)
    flat_shape = Concat <axis = 0> (zero, all_there_is)
    flat = Reshape (table, flat_shape)
    flat_sizes = Shape (flat)
    width = Gather <axis = 0> (flat_sizes, one)
    most = Unsqueeze ({MOST}, zero)
    number = Min (width, most)
    best, places = TopK <axis = 1> (flat, number)
    sizes = Shape ({PREDICTIONS})
    boxes = Gather <axis = 0> (sizes, one)
    label = Div (places, boxes)
    before = Mul (label, boxes)
    box = Sub (places, before)
    box3 = Unsqueeze (box, two)
    spread = Concat <axis = 0> (one, one, four)
    index = Tile (box3, spread)
    shown = GatherElements <axis = 1> (xyxy, index)
    score3 = Unsqueeze (best, two)
    label_as_float = Cast <to = 1> (label)
    label3 = Unsqueeze (label_as_float, two)
    {DETECTIONS} = Concat <axis = 2> (shown, score3, label3)
    there = Greater (best, nothing)
    counted = Cast <to = 7> (there)
    {COUNT} = ReduceSum <keepdims = 0> (counted, one)
}}
"""


def with_nms(model: Any) -> Any:
    """An onnx.ModelProto of raw predictions, with NMS behind it: further inputs CONF (K,), the score above which a
    detection of each class counts, IOU () and MOST () int64; outputs DETECTIONS (B, M, 6) x1 y1 x2 y2 score label, the
    best first, and COUNT (B,), how many of them there are.
    """
    onnx: Any = library("onnx")
    compose: Any = library("onnx.compose")
    nms = library("onnx.parser").parse_model(GRAPH)
    nms.ir_version = model.ir_version
    nms = compose.add_prefix(nms, "nms/", rename_inputs=False, rename_outputs=False)
    merged = compose.merge_models(model, nms, io_map=[(PREDICTIONS, PREDICTIONS)])
    onnx.checker.check_model(merged)
    return merged
