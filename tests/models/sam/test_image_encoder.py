import pytest
import torch

from utils.words.errors import ConfigError


def images(height, width, batch=1):
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(160, 160), (96, 160), (16, 48)], ids=str)
def test_one_cell_of_the_embedding_is_16_pixels(sam, size):
    z = sam(images(*size, batch=2))
    assert z.shape == (2, 256, size[0] // 16, size[1] // 16) and z.dtype == torch.float32
    assert not z.requires_grad and torch.isfinite(z).all()
    assert z.std((2, 3)).mean() > 0.1 and (z[0] - z[1]).abs().max() > 0.01  # it does look at the picture


def test_640_px(sam):
    assert sam(images(640, 640)).shape == (1, 256, 40, 40)


def test_pictures_of_a_batch_do_not_see_each_other(sam):
    batch = images(64, 96, batch=3)
    torch.testing.assert_close(sam(batch)[1:2], sam(batch[1:2]), rtol=1e-4, atol=1e-5)


def test_memory_format_plays_no_part(sam):
    batch = images(64, 96, batch=2)
    torch.testing.assert_close(sam(batch.to(memory_format=torch.channels_last)), sam(batch), rtol=1e-4, atol=1e-5)


def test_the_callers_autocast_plays_no_part(sam):
    batch = images(64, 64)
    with torch.autocast("cpu", torch.bfloat16):
        inside = sam(batch)
    assert torch.equal(inside, sam(batch))


def test_after_inference_mode_the_embedding_still_feeds_a_trained_layer(sam):
    batch, layer = images(64, 64), torch.nn.Conv2d(256, 1, 1)
    with torch.inference_mode():
        sam(batch)
    layer(sam(batch)).sum().backward()
    assert layer.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("size", [(100, 96), (96, 8)], ids=str)
def test_a_size_it_cannot_take(sam, size):
    with pytest.raises(ConfigError, match=f"{size[1]}x{size[0]}.*multiples of 16"):
        sam(images(*size))
