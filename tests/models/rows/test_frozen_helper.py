import copy

import torch
from torch import nn

from models.rows.frozen_helper import Frozen
from utils.training.state import EMA


class Owner(nn.Module):
    """A trained layer on top of a frozen one with BatchNorm."""

    def __init__(self):
        super().__init__()
        helper = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        self.helper, self.layer = Frozen(helper), nn.Conv2d(4, 1, 1)

    def forward(self, x):
        return self.layer(self.helper(x))


def values(owner):
    return {name: tensor.clone() for name, tensor in owner.helper.module.state_dict().items()}


def test_training_the_owner_changes_nothing_inside():
    owner = Owner()
    before = values(owner)
    owner.requires_grad_(True)
    owner.train()
    optimizer = torch.optim.SGD(owner.parameters(), lr=0.1, weight_decay=0.1)
    average, trained = EMA(owner, 0.9, 1.0), owner.layer.weight.clone()
    for _ in range(2):
        owner(torch.rand(2, 3, 8, 8)).square().mean().backward()
        optimizer.step()
        average.update()
    assert not torch.equal(owner.layer.weight, trained)
    assert all(torch.equal(tensor, before[name]) for name, tensor in values(owner).items())
    assert all(p.grad is None and not p.requires_grad for p in owner.helper.module.parameters())
    assert not any(module.training for module in owner.helper.module.modules())


def test_the_owner_does_not_count_it():
    owner = Owner()
    names = ["layer.weight", "layer.bias"]
    assert list(owner.state_dict()) == names and [n for n, _ in owner.named_parameters()] == names
    assert not list(owner.named_buffers())
    assert [n for n, _ in owner.named_modules()] == ["", "helper", "layer"]
    owner.load_state_dict(Owner().state_dict())


def test_copies_share_it():
    owner = Owner()
    other = copy.deepcopy(owner)
    assert other.helper.module is owner.helper.module and other.layer is not owner.layer
    assert EMA(owner, 0.9, 1.0).module.helper.module is owner.helper.module


def test_it_follows_to_a_device_and_keeps_its_precision():
    owner = Owner().half()
    before = values(owner)
    assert owner.layer.weight.dtype == torch.float16 and owner.helper.module[0].weight.dtype == torch.float32
    owner.to("cpu", torch.float64, memory_format=torch.channels_last)
    assert owner.helper.module[0].weight.dtype == torch.float32
    assert all(torch.equal(tensor, before[name]) for name, tensor in values(owner).items())
    owner.to("meta")
    assert all(tensor.device.type == "meta" for tensor in owner.helper.module.state_dict().values())


def test_what_has_no_tensor_is_held_too():
    assert nn.Sequential(Frozen(nn.ReLU())).half()(torch.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]
