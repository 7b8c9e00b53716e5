import math

import pytest
import torch

from models.sam.prompt_encoder import BOTTOM_RIGHT, NEGATIVE, NOT_A_POINT, POSITIVE, TOP_LEFT, box_corners, embed_points

SIZE = (96, 160)
POINTS = torch.tensor([[[0.0, 0.0], [159.5, 95.5], [80.0, 12.25]], [[3.0, 90.0], [40.0, 40.0], [1.0, 2.0]]])
LABELS = torch.tensor([[POSITIVE, NEGATIVE, NOT_A_POINT], [NEGATIVE, POSITIVE, POSITIVE]])


@pytest.fixture(scope="module")
def encoder(sam):
    """segment_anything's prompt encoder, its own sizes set to ours, so that it can be asked too."""
    encoder = sam.networks.prompt_encoder
    before = encoder.input_image_size, encoder.image_embedding_size
    encoder.input_image_size, encoder.image_embedding_size = SIZE, (6, 10)
    yield encoder
    encoder.input_image_size, encoder.image_embedding_size = before


def test_points_as_segment_anything_embeds_them(sam, encoder):
    with torch.no_grad():
        sparse, _ = encoder((POINTS, LABELS), None, None)
    torch.testing.assert_close(sam.embed_points(POINTS, LABELS, SIZE), sparse[:, :3])  # the 4th is its padding
    padding = sam.embed_points(torch.full((2, 1, 2), math.nan), torch.full((2, 1), NOT_A_POINT), SIZE)
    torch.testing.assert_close(padding, sparse[:, 3:])


def test_boxes_as_segment_anything_embeds_them(sam, encoder):
    boxes = torch.tensor([[[10.0, 20.0, 60.0, 70.0], [0.0, 0.0, 160.0, 96.0]], [[5.0, 5.0, 6.0, 6.0], [1, 2, 3, 4]]])
    corners, labels = box_corners(boxes)
    assert labels.tolist() == [[TOP_LEFT, BOTTOM_RIGHT] * 2] * 2
    sparse = sam.embed_points(corners, labels, SIZE)
    for column in range(2):
        with torch.no_grad():
            expected, _ = encoder(None, boxes[:, column], None)
        torch.testing.assert_close(sparse[:, 2 * column : 2 * column + 2], expected)


def test_position_by_hand(sam):
    encoder = sam.networks.prompt_encoder
    matrix = encoder.pe_layer.positional_encoding_gaussian_matrix.double()
    x, y = 80.0, 12.25
    angle = 2 * math.pi * ((2 * (x + 0.5) / 160 - 1) * matrix[0] + (2 * (y + 0.5) / 96 - 1) * matrix[1])
    expected = torch.cat((angle.sin(), angle.cos())) + encoder.point_embeddings[1].weight[0].double()
    found = embed_points(encoder, torch.tensor([[[x, y]]]), torch.tensor([[POSITIVE]]), SIZE)
    torch.testing.assert_close(found[0, 0].double(), expected, rtol=0, atol=1e-5)


def test_autocast_does_not_blur_positions(sam):
    with torch.autocast("cpu", torch.bfloat16):
        found = sam.embed_points(POINTS, LABELS, SIZE)
    assert found.dtype == torch.float32 and not found.requires_grad
    assert torch.equal(found, sam.embed_points(POINTS, LABELS, SIZE))


def test_no_points(sam):
    assert sam.embed_points(torch.zeros(2, 0, 2), torch.zeros(2, 0, dtype=torch.long), SIZE).shape == (2, 0, 256)
