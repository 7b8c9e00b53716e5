"""Where the time of a step goes: told apart on work that is all of one kind."""

import time

import pytest
import torch
from torch.nn.functional import conv2d

from models.ready.step_parts import kind_of, parts_line, step_parts


def convolutions():
    weight = torch.ones(32, 32, 3, 3, requires_grad=True)
    conv2d(torch.ones(2, 32, 64, 64), weight).sum().backward()


def python():
    end = time.perf_counter() + 0.01
    while time.perf_counter() < end:
        pass


@pytest.mark.parametrize(("work", "kind"), [(convolutions, "convolutions"), (python, "Python and what it calls")])
def test_work_of_one_kind_is_told_as_such(work, kind, capfd):
    parts = step_parts(work, 3)
    assert next(iter(parts)) == kind and parts[kind] > 0.6
    assert sum(parts.values()) == pytest.approx(1)
    assert capfd.readouterr().err == ""  # the profiler's own lines


def test_operations_have_kinds():
    assert kind_of("aten::mkldnn_convolution") == kind_of("autograd::engine::ConvolutionBackward0") == "convolutions"
    assert kind_of("aten::native_batch_norm_backward") == "norms"
    assert kind_of("aten::silu_backward") == "activations"
    assert kind_of("aten::bmm") == "products of matrices"
    assert kind_of("aten::_to_copy") == "copies and casts"
    assert kind_of("aten::add_") == kind_of("aten::upsample_bilinear2d") == "other operations"


def test_a_line_of_shares():
    assert parts_line({"convolutions": 0.614, "norms": 0.386}) == "convolutions 61 %, norms 39 %"
