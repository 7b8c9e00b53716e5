import copy
import hashlib
import subprocess
import sys

import pytest
import torch
from torch import nn

from models.sam.mobile_sam import load_mobile_sam
from utils.words.errors import CheckpointError, ConfigError


def digest(sam):
    content = hashlib.sha256()
    for name, tensor in sam.networks.state_dict().items():
        content.update(name.encode() + tensor.numpy().tobytes())
    return content.hexdigest()


@pytest.fixture(scope="module")
def sam():
    return load_mobile_sam("random-frozen", seed=3)


class Owner(nn.Module):
    def __init__(self, sam):
        super().__init__()
        self.sam, self.layer = sam, nn.Conv2d(256, 1, 1)

    def forward(self, images):
        return self.layer(self.sam(images))


def test_training_the_owner_leaves_every_bit_as_it_was(sam):
    owner, before = Owner(sam).train(), digest(sam)
    images = torch.rand(2, 3, 64, 64)
    z = sam(images)
    optimizer = torch.optim.AdamW(owner.parameters(), lr=0.1)
    for _ in range(2):
        owner(images).square().mean().backward()
        optimizer.step()
    owner.train(False).train(True)
    assert digest(sam) == before and torch.equal(sam(images), z)
    assert list(owner.state_dict()) == ["layer.weight", "layer.bias"]
    assert len(list(owner.parameters())) == 2 and not list(owner.buffers())
    assert copy.deepcopy(owner).sam.networks is sam.networks


def test_random_weights_depend_on_the_seed_and_on_nothing_else(sam):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    again = load_mobile_sam("random-frozen", seed=3)
    assert torch.equal(torch.rand(1), expected), "the global random stream moved"
    assert digest(again) == digest(sam) != digest(load_mobile_sam("random-frozen", seed=4))
    assert again.mode == "random-frozen"


def test_none_gives_zeros():
    none = load_mobile_sam("none")
    assert none.mode == "none" and none.networks is None
    z = none.to("cpu")(torch.rand(2, 3, 64, 96))
    assert z.shape == (2, 256, 4, 6) and z.dtype == torch.float32 and not z.any()
    prompts = none.embed_points(torch.zeros(2, 5, 2), torch.zeros(2, 5, dtype=torch.long), (64, 96))
    assert prompts.shape == (2, 5, 256) and not prompts.any()
    with pytest.raises(ConfigError, match="multiples of 16"):
        none(torch.rand(1, 3, 65, 64))


def test_pretrained_without_a_file_says_all_that_is_needed():
    with pytest.raises(CheckpointError) as caught:
        load_mobile_sam("pretrained")
    for words in ("--set model.sam=mobile_sam.pt", "MobileSAM git repository", "folder weights", "Apache-2.0"):
        assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mode_and_path_must_make_sense():
    with pytest.raises(ConfigError, match="'pretraind' is none of .*did you mean 'pretrained'"):
        load_mobile_sam("pretraind")
    for mode in ("none", "random-frozen"):
        with pytest.raises(ConfigError, match=f"sam.pt: .*mode {mode} reads no weights"):
            load_mobile_sam(mode, "sam.pt")


def test_a_library_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm.layers", None)
    with pytest.raises(ConfigError, match="timm.*pip install -r requirements.txt"):
        load_mobile_sam("random-frozen")


def test_who_does_not_use_it_imports_none_of_its_libraries():
    script = """
import sys, train, val, detect, models.sam.mobile_sam, torch
models.sam.mobile_sam.load_mobile_sam("none")(torch.zeros(1, 3, 32, 32))
assert not {"timm", "torchvision", "segment_anything"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
