"""A network of timm as a row: timm's own features, other planes, norms that fold, statistics that stay."""

import copy

import pytest
import torch
from torch import nn

from models.graph.builder import build_graph
from models.layers.timm_backbone import TimmBackbone, create, synchronised
from models.rows.model_spec import parse_spec
from utils.words.errors import ConfigError
from utils.words.yamlio import parse_yaml

LITE0 = "tf_efficientnet_lite0"
FAMILIES = ("tf_efficientnet_lite0", "resnet18", "mobilenetv3_small_050", "regnety_002", "convnext_atto", "repvgg_a0")


def stirred(layer: TimmBackbone) -> TimmBackbone:
    """In eval mode, with norms that do something."""
    torch.manual_seed(0)
    for module in layer.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            for tensor in (module.bias, module.running_mean):
                nn.init.normal_(tensor, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return layer.eval()


def published(layer: TimmBackbone) -> dict[str, torch.Tensor]:
    """A state dict as it is published for the layer's network."""
    whole = create(layer.network)
    torch.manual_seed(5)
    for name, tensor in whole.state_dict().items():
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.1, 0.3) if "var" in name else nn.init.normal_(tensor, 0, 0.05)
    return whole.state_dict()


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "convnext_atto"])
def test_features_are_those_of_timm(name):
    """On three pictures, of weights as they are published; of a row that asks for other strides than all."""
    layer = TimmBackbone(3, name, [8, 32]).eval()
    weights = published(layer)
    layer.fill(weights)
    whole = create(name).eval()
    whole.load_state_dict(weights)
    config = whole.pretrained_cfg
    for seed in range(3):
        image = torch.rand(1, 3, 96, 64, generator=torch.Generator().manual_seed(seed))
        mean, std = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
        with torch.no_grad():
            ours, theirs = layer(image), whole.forward_intermediates((image - mean) / std, intermediates_only=True)
        for one, stride in zip(ours, (8, 32), strict=True):
            assert one.shape[2:] == (96 // stride, 64 // stride)
            (same,) = [other for other in theirs if other.shape[2:] == one.shape[2:]][-1:]
            torch.testing.assert_close(one, same, rtol=1e-6, atol=1e-6 * float(same.abs().max()))


def test_a_grey_picture_gives_what_it_gave_in_colour():
    """For one plane the first convolution is summed, for six repeated and scaled."""
    colour = TimmBackbone(3, LITE0).eval()
    weights = published(colour)
    colour.fill(weights)
    grey = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        wanted = colour(grey.expand(-1, 3, -1, -1))
        for planes in (1, 6):
            layer = TimmBackbone(planes, LITE0).eval()
            layer.fill(weights)
            for one, other in zip(layer(grey.expand(-1, planes, -1, -1)), wanted, strict=True):
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", FAMILIES)
def test_norms_behind_convolutions_fold(name):
    layer, image = stirred(TimmBackbone(3, name)), torch.rand(2, 3, 64, 96)
    folded = copy.deepcopy(layer)
    folded.fold_norm()
    norms = [sum(isinstance(m, nn.BatchNorm2d) for m in one.modules()) for one in (layer, folded)]
    assert norms[1] < norms[0] or not norms[0]
    assert norms[1] == 0 or name == "repvgg_a0", "whose norms also stand alone, beside the convolutions"
    with torch.no_grad():
        for one, other in zip(layer(image), folded(image), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(one.abs().max()))


def test_a_fold_that_would_change_the_network_is_not_made(monkeypatch):
    layer = stirred(TimmBackbone(3, LITE0))
    monkeypatch.setattr("models.layers.traced_fold.fold", lambda norm, conv: nn.Identity())
    layer.fold_norm()
    assert sum(isinstance(m, nn.BatchNorm2d) for m in layer.modules()) == 48


def test_frozen_norms_keep_their_statistics():
    layer = TimmBackbone(3, LITE0)
    layer.norm_frozen = True
    before = {k: v.clone() for k, v in layer.state_dict().items() if "running" in k}
    layer.train()(torch.rand(2, 3, 64, 64))
    assert all(torch.equal(v, layer.state_dict()[k]) for k, v in before.items()) and layer.body.training
    layer.norm_frozen = False
    layer.train()(torch.rand(2, 3, 64, 64))
    assert not any(torch.equal(v, layer.state_dict()[k]) for k, v in before.items())


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "resnet18", "convnext_atto"])
def test_layers_up_to_a_stride_stay(name):
    """The map at that stride is the same after a step at a high rate, those behind it are not."""
    layer, image = stirred(TimmBackbone(3, name)).train(), torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        before = layer.eval()(image)
    stays = layer.train().freeze_to(8)
    assert layer.body.training and 0 < stays < sum(p.numel() for p in layer.parameters())
    optimizer = torch.optim.SGD([p for p in layer.parameters() if p.requires_grad], lr=0.1)
    maps = layer(image)
    assert [one.requires_grad for one in maps] == [False, False, True, True]
    sum(one.mean() for one in maps).backward()
    optimizer.step()
    with torch.no_grad():
        after = layer.eval()(image)
    assert [torch.equal(a, b) for a, b in zip(before, after, strict=True)] == [True, True, False, False]


def test_layers_stay_up_to_the_last_map_that_there_is():
    rows = [TimmBackbone(3, LITE0, strides) for strides in ([8, 16], [32, 4], [16])]
    assert [layer.freeze_to(8) > 0 for layer in rows] == [True, True, False]
    assert rows[1].freeze_to(0) == 0 and all(p.requires_grad for p in rows[2].parameters())


def test_synchronised_norms_keep_their_activation():
    """torch's own conversion would drop it; on the CPU, in eval mode, both compute the same."""
    layer, image = stirred(TimmBackbone(3, LITE0)), torch.rand(1, 3, 64, 64)
    other = synchronised(copy.deepcopy(layer)).eval()
    assert sum(isinstance(m, nn.SyncBatchNorm) for m in other.modules()) == 48
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(layer(image), other(image), strict=True))


ROWS = """
nc: 2
backbone:
  - [image, 1, TimmBackbone, [{args}], body]
  - [body.0, 1, Conv, [8, 3, 1]]
head:
  - [-1, 1, FreeDetect, [$nc]]
"""


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("tf_efficientnet_lite9", "timm has no network 'tf_efficientnet_lite9'; did you mean 'tf_efficientnet_lite"),
        ("resnet18, [4, 64]", "resnet18 has maps at the strides 2, 4, 8, 16, 32, none at 64"),
        ("mixer_s16_224", "mixer_s16_224 has maps at the strides 16, none at 4, 8, 32"),
        ("3", "argument 'network' must be str, got 3"),
        ("swin_tiny_patch4_window7_224", "takes pictures of one size only"),
        ("resnet18, [8, 16], {std: 0}", "std must be above 0, got 0"),
    ],
)
def test_mistakes_in_a_row(args, words):
    with pytest.raises(ConfigError) as caught:
        build_graph(parse_spec(parse_yaml(ROWS.format(args=args), "m.yaml")))
    assert words in str(caught.value) and "m.yaml:4: row 0" in str(caught.value) and "\n" not in str(caught.value)
