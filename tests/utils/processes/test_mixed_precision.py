import pytest
import torch

from utils.config.config import RunConfig
from utils.console.log import LOG
from utils.processes.mixed_precision import autocast_dtype, cpu_has_bf16, mixed_precision
from utils.words.errors import ConfigError

CPU, GPU = torch.device("cpu"), torch.device("cuda:0")


@pytest.fixture
def said(monkeypatch, caplog):
    """What is logged."""
    monkeypatch.setattr(LOG, "propagate", True)
    caplog.set_level("INFO", logger=LOG.name)
    return caplog


def let_cpu(monkeypatch, *, have_bf16: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: have_bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)


def test_a_cpu_with_units_for_bfloat16_uses_them_and_says_so(monkeypatch, said):
    let_cpu(monkeypatch, have_bf16=True)
    assert autocast_dtype(RunConfig(), CPU) is torch.bfloat16
    assert "--no-amp" in said.text and len(said.records) == 1
    assert autocast_dtype(RunConfig(amp=False), CPU) is None
    assert autocast_dtype(RunConfig(bf16=True), CPU) is torch.bfloat16
    assert len(said.records) == 1


def test_a_cpu_without_them_imitates_them_only_when_asked_with_a_warning(monkeypatch, said):
    let_cpu(monkeypatch, have_bf16=False)
    assert autocast_dtype(RunConfig(), CPU) is None
    assert autocast_dtype(RunConfig(amp=False), CPU) is None
    assert not said.records
    assert autocast_dtype(RunConfig(bf16=True), CPU) is torch.bfloat16
    assert "imitates it" in said.text


@pytest.mark.parametrize("has_bf16", [False, True])
def test_a_gpu_takes_what_it_has(monkeypatch, has_bf16):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bf16)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Old GPU")
    assert autocast_dtype(RunConfig(), GPU) is (torch.bfloat16 if has_bf16 else torch.float16)
    assert autocast_dtype(RunConfig(amp=False), GPU) is None
    if has_bf16:
        assert autocast_dtype(RunConfig(bf16=True), GPU) is torch.bfloat16
    else:
        with pytest.raises(ConfigError, match="Old GPU has no bfloat16"):
            autocast_dtype(RunConfig(bf16=True), GPU)


def test_the_question_about_units_has_an_answer():
    assert cpu_has_bf16() in (True, False)


def test_contradiction():
    with pytest.raises(ConfigError, match="contradicts --no-amp"):
        autocast_dtype(RunConfig(amp=False, bf16=True), CPU)


def gradient_of_kernel(x: torch.Tensor, conv: torch.nn.Conv2d, dtype: torch.dtype | None) -> torch.Tensor:
    """Of the sum of squares of `conv`'s planes."""
    with mixed_precision(CPU, dtype):
        planes = conv(x)
    assert planes.dtype == (dtype or torch.float32)
    (gradient,) = torch.autograd.grad(planes.float().square().sum(), conv.weight)
    return gradient


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (7, 2)])
def test_kernels_of_depthwise_convolutions_learn_as_in_float32(kernel, stride):
    torch.manual_seed(0)
    conv = torch.nn.Conv2d(8, 8, kernel, stride, padding=kernel // 2, groups=8)
    x = torch.randn(2, 8, 20, 20)
    exact, mixed = gradient_of_kernel(x, conv, None), gradient_of_kernel(x, conv, torch.bfloat16)
    assert (mixed - exact).norm() < 0.01 * exact.norm()


@pytest.mark.parametrize(
    ("kernel", "stride", "groups", "learns", "leaves"),
    [
        (5, 1, 8, True, True),
        (3, 2, 8, True, True),
        (5, 1, 8, False, False),
        (3, 1, 8, True, False),
        (5, 2, 1, True, False),
    ],
)
def test_only_slow_depthwise_convolutions_that_learn_leave_bfloat16(kernel, stride, groups, learns, leaves):
    torch.manual_seed(0)
    conv, x = torch.nn.Conv2d(8, 8, kernel, stride, groups=groups), torch.randn(2, 8, 20, 20)
    with torch.set_grad_enabled(learns), mixed_precision(CPU, torch.bfloat16):
        planes = conv(x)
    assert planes.dtype is torch.bfloat16
    assert torch.equal(planes, conv(x).bfloat16()) == leaves


def test_without_a_number_format_nothing_changes():
    with mixed_precision(CPU, None):
        assert not torch.is_autocast_enabled("cpu")
        assert torch.nn.Conv2d(8, 8, 5, groups=8)(torch.randn(1, 8, 9, 9)).dtype is torch.float32
