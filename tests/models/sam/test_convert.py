"""mobile_sam.pt -> our networks, on a full-size state dict with the published names."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from models.sam.convert import convert, load_reference, reference_name
from models.sam.mobile_sam import Networks, load_mobile_sam
from tests.models.sam import reference
from utils.words.errors import CheckpointError

PATH = Path("mobile_sam.pt")
STATE = reference.state_dict()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mobile_sam.pt"
    torch.save(OrderedDict(STATE), path)
    return path


@pytest.fixture(scope="module")
def pretrained(file):
    return load_mobile_sam("pretrained", file)


@pytest.fixture(scope="module")
def own(pretrained):
    return pretrained.networks.state_dict()


def test_the_list_of_names_has_the_published_numbers_of_parameters():
    def parameters(prefix):
        buffers = ("running_mean", "running_var", "num_batches_tracked", "gaussian_matrix")
        return sum(v.numel() for k, v in STATE.items() if k.startswith(prefix) and not k.endswith(buffers))

    assert parameters("image_encoder.") == 6_065_532  # published as 6.07 M
    assert parameters("prompt_encoder.") == 6_220
    assert parameters("mask_decoder.") == 4_058_340


def test_every_tensor_arrives_under_its_name(own):
    classifier = {k for k in STATE if k.startswith(("image_encoder.head.", "image_encoder.norm_head."))}
    assert len(classifier) == 4
    assert {reference_name(key) for key in own} == set(STATE) - classifier
    for key, tensor in own.items():
        assert torch.equal(tensor, STATE[reference_name(key)]), key


@pytest.mark.parametrize("size", [(64, 96), (112, 112), (240, 16)], ids=str)
def test_the_encoder_computes_what_the_published_one_does(pretrained, size):
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    expected = reference.Encoder(STATE)(images)
    assert expected.shape == (2, 256, size[0] // 16, size[1] // 16)
    torch.testing.assert_close(pretrained(images).double(), expected, rtol=1e-3, atol=1e-4)


def test_attention_biases_of_an_earlier_forward_are_forgotten(file, pretrained):
    networks, images = Networks().eval(), torch.rand(1, 3, 64, 64)
    networks.encoder(images)
    load_reference(networks, STATE, file)
    assert torch.equal(networks.encoder(images), pretrained(images))
    assert not any(module.training for module in networks.modules())


def without(name):
    return {key: value for key, value in STATE.items() if key != name}


BAD = {
    "missing": (without("prompt_encoder.no_mask_embed.weight"), r"1 tensor missing \(prompt_encoder.no_mask_embed"),
    "left over": ({**STATE, "image_encoder.extra\n": torch.ones(1)}, r"1 tensor unknown \(image_encoder.extra\\n\)"),
    "wrapped": ({"model": STATE}, r"435 tensors missing .* 1 tensor unknown \(model\)"),
    "no name": ({}, "tensors missing"),
    "shape": (
        {**STATE, "image_encoder.layers.2.blocks.5.attn.attention_biases": torch.ones(5, 49)},
        r"layers.2.blocks.5.attn.attention_biases has shape \[5, 49\] instead of \[5, 196\]",
    ),
    "no tensor": ({**STATE, "mask_decoder.iou_token.weight": [1.0]}, "iou_token.weight is no dense tensor"),
    "integers": ({**STATE, "image_encoder.neck.1.bias": torch.ones(256, dtype=torch.int)}, "holds torch.int32"),
    "nan": ({**STATE, "image_encoder.neck.1.bias": torch.full((256,), torch.nan)}, "neck.1.bias .* not finite"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_not_mobile_sam_is_refused_in_one_line(own, case):
    content, complaint = BAD[case]
    with pytest.raises(CheckpointError, match=complaint) as caught:
        convert(content, own, PATH)
    assert str(caught.value).startswith("mobile_sam.pt: ") and "\n" not in str(caught.value)
    assert "MobileSAM git repository" in str(caught.value)


def test_the_file_may_hold_half_precision_and_lack_the_classifier(own):
    content = {k: v.half() if v.is_floating_point() else v for k, v in STATE.items() if "head." not in k[:24]}
    converted = convert(content, own, PATH)
    networks = Networks()
    networks.load_state_dict(converted)
    assert networks.encoder.neck[0].weight.dtype == torch.float32


@pytest.mark.parametrize("kind", ["truncated", "list", "numbered", "web page", "missing"])
def test_bad_files(tmp_path, file, kind):
    path = tmp_path / "mobile_sam.pt"
    if kind == "truncated":
        path.write_bytes(file.read_bytes()[:1_000_000])
    elif kind == "web page":
        path.write_text("<html>404</html>")
    elif kind != "missing":
        torch.save([torch.ones(1)] if kind == "list" else {0: torch.ones(1)}, path)
    with pytest.raises(CheckpointError) as caught:
        load_mobile_sam("pretrained", path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
    if kind == "missing":
        assert "no such checkpoint" in str(caught.value) and "folder weights" in str(caught.value)
