import pytest
import torch

from models.graph.builder import build_graph
from models.prompts.embedding import choose_sam
from models.rows.model_spec import read_spec
from utils.values.channels import Channels
from utils.words.errors import CheckpointError, ConfigError


def test_off_gives_zeros(none_row):
    z = none_row(torch.rand(2, 3, 64, 96))
    assert z.shape == (2, 256, 4, 6) and not z.any() and none_row.off


def test_on_gives_an_embedding_without_gradient_and_without_parameters(sam_row):
    z = sam_row(torch.rand(1, 3, 64, 96, requires_grad=True))
    assert z.shape == (1, 256, 4, 6) and z.dtype == torch.float32 and z.std() > 0
    assert not z.requires_grad and not sam_row.off
    assert not list(sam_row.parameters()) and not sam_row.state_dict()


@pytest.mark.parametrize(
    ("choice", "mode", "files"),
    [
        ("", "none", {}),
        ("random-frozen", "random-frozen", {}),
        ("weights/sam.pt", "pretrained", {"SAMEmbedding": "weights/sam.pt"}),
    ],
)
def test_what_the_user_says_about_mobile_sam(choice, mode, files):
    spec, given = choose_sam(read_spec("cfg/models/rtvpnet-n.yaml"), Channels(), choice)
    assert spec.data["sam"] == mode and given == files


def test_mobile_sam_where_no_row_or_no_colour_is():
    closed, text = (read_spec(f"cfg/models/{name}.yaml") for name in ("idfe-net-n", "rtvpnet-n"))
    with pytest.raises(ConfigError, match="model.sam=sam.pt: idfe-net-n.yaml has no row for Mobile-SAM"):
        choose_sam(closed, Channels(), "sam.pt")
    assert choose_sam(closed, Channels(), "sam.pt", masks=True) == (closed, {})
    with pytest.raises(ConfigError, match="Mobile-SAM takes r, g, b, but the pictures have grey"):
        choose_sam(text, Channels(image=("grey",)), "sam.pt")


def test_top_level_key_decides_the_mode():
    spec = read_spec("cfg/models/rtvpnet-n.yaml")
    assert spec.data["sam"] == "none"
    with pytest.raises(CheckpointError, match="mobile_sam.pt"):
        build_graph(spec.with_values(sam="pretrained"))
    with pytest.raises(ConfigError, match="row 0 .*'mode' must be 'pretrained' or .*got 'on'"):
        build_graph(spec.with_values(sam="on"))
