"""Weights are known by their tensors, not by their file."""

import torch

from utils.values.weights_identity import WeightsIdentity


def test_the_tensors_decide():
    state = {"a": torch.rand(3, 4, 2, 2), "b": torch.zeros((), dtype=torch.int64), "c": torch.rand(5).bfloat16()}
    digest = WeightsIdentity.of("x", state).digest
    same = {name: tensor.clone() for name, tensor in reversed(state.items())}
    same["a"] = same["a"].to(memory_format=torch.channels_last)
    assert WeightsIdentity.of("y", same).digest == digest
    flipped = state["a"].clone()
    flipped.view(-1).view(torch.int32)[7] ^= 1
    for other in (
        state | {"a": flipped},
        state | {"b": torch.ones((), dtype=torch.int64)},
        state | {"a": state["a"].reshape(4, 3, 2, 2)},
        state | {"c": state["c"].float()},
        state | {"d": torch.zeros(0)},
        {"a": state["a"], "b": state["b"]},
    ):
        assert WeightsIdentity.of("x", other).digest != digest
    assert WeightsIdentity.of("best.pt", {}).words().startswith("best.pt (")
