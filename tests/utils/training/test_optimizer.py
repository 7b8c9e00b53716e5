import copy

import pytest
import torch
from torch import nn

from models.heads.contrastive import ContrastiveBranch
from utils.config.config import OptimConfig
from utils.config.settings import build_config, settings_of_assignments
from utils.training.optimizer import GROUPS, build_optimizer, common_rates
from utils.training.schedule import Schedule
from utils.training.state import EMA, TrainState
from utils.training.step import SKIP_LIMIT, optimizer_step
from utils.words.errors import NumericError


def config(*assignments):
    return build_config(settings_of_assignments(list(assignments)))[0]


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))


def test_groups_are_weights_norms_biases():
    model = net()
    optimizer = build_optimizer(model, config().optim, batch_size=16)
    weights, norms, biases = (group["params"] for group in optimizer.param_groups)
    assert [p is q for p, q in zip(weights, (model[0].weight, model[3].weight), strict=True)] == [True, True]
    assert norms[0] is model[1].weight and len(norms) == 1 and len(biases) == 3
    assert [g["weight_decay"] for g in optimizer.param_groups] == [0.0005, 0.0, 0.0]


def test_decay_scales_with_the_effective_batch():
    optimizer = build_optimizer(net(), config("optim.accumulate=2").optim, batch_size=16)
    assert optimizer.param_groups[0]["weight_decay"] == pytest.approx(0.0005 * 32 / 64)


def two_rows(factor):
    """Two rows that learn the same, the second one at `factor` of the learning rate, after one step of SGD."""
    torch.manual_seed(0)
    rows = nn.Sequential(nn.Linear(3, 2), nn.Sequential(nn.Linear(3, 2)))
    rows[1][0].load_state_dict(rows[0].state_dict())
    if factor is not None:
        rows[1].lr_factor = factor
    before = copy.deepcopy(rows)
    cfg = config("optim.weight_decay=0")
    optimizer, schedule = build_optimizer(rows, cfg.optim, 16), Schedule(cfg, 100)
    schedule.apply(optimizer, schedule.warmup)
    x = torch.rand(4, 3)
    (rows[0](x) + rows[1](x)).square().sum().backward()
    optimizer.step()
    changes = [after.detach() - start for after, start in zip(rows.parameters(), before.parameters(), strict=True)]
    return optimizer, schedule, (changes[:2], changes[2:])


def test_a_row_may_learn_at_a_factor_of_the_learning_rate():
    optimizer, schedule, (plain, slow) = two_rows(0.1)
    for one, other in zip(plain, slow, strict=True):
        torch.testing.assert_close(other, one * 0.1)
    assert [(g["name"], g.get("lr_factor")) for g in optimizer.param_groups] == [
        *((name, None) for name in GROUPS),
        ("weights", 0.1),
        ("biases", 0.1),
    ]
    rates = schedule.learning_rates(schedule.warmup)
    assert common_rates(optimizer) == list(rates)
    again, _, _ = two_rows(0.1)
    again.load_state_dict(optimizer.state_dict())  # as --resume does
    schedule.apply(again, 20)
    assert [g["lr"] for g in again.param_groups][3:] == [rate * 0.1 for rate in schedule.learning_rates(20)[::2]]


def test_a_backbone_may_wait_for_the_first_epochs():
    """Half an epoch of 10 steps; what has no factor of its own learns from the first step on."""
    optimizer, _, _ = two_rows(0.1)
    schedule = Schedule(config("schedule.freeze_backbone=0.5", "schedule.warmup_epochs=0"), steps_per_epoch=10)
    for step, learns in ((0, False), (4, False), (5, True)):
        schedule.apply(optimizer, step)
        assert [g["lr"] > 0 for g in optimizer.param_groups] == [True] * 3 + [learns] * 2


def test_without_a_factor_there_are_three_groups_as_ever():
    optimizer, _, (one, other) = two_rows(None)
    assert [g["name"] for g in optimizer.param_groups] == list(GROUPS)
    assert not any("lr_factor" in g for g in optimizer.param_groups)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_every_optimizer_steps(name):
    model = net()
    before = copy.deepcopy(model.state_dict())
    optimizer = build_optimizer(model, config(f"optim.name={name}").optim, 16)
    model(torch.randn(2, 3, 3, 3)).square().sum().backward()
    optimizer.step()
    assert not torch.equal(before["0.weight"], model.state_dict()["0.weight"])


def test_schedule_by_hand():
    """100 epochs of 10 steps, 100 steps of warm-up: biases 0.1 -> lr, the rest 0 -> lr, momentum 0.8 -> 0.937."""
    schedule = Schedule(config("schedule.epochs=100", "optim.lr0=0.01"), steps_per_epoch=10)
    assert schedule.warmup == 100
    assert schedule.learning_rates(0) == (0.0, 0.0, 0.1)
    middle = 0.01 * (1 - 0.99 * 0.05)
    assert schedule.learning_rates(50) == pytest.approx((middle / 2, middle / 2, (0.1 + middle) / 2))
    assert schedule.learning_rates(500) == pytest.approx((0.01 * 0.505,) * 3)
    assert schedule.learning_rates(1000) == pytest.approx((0.0001,) * 3)
    assert schedule.momentum(0) == 0.8 and schedule.momentum(100) == 0.937
    assert [schedule.accumulate(s) for s in (0, 50, 100, 900)] == [1, 2, 4, 4]


def test_cosine_meets_linear_at_both_ends_and_the_middle():
    linear, cosine = (Schedule(config("schedule.epochs=10", f"schedule.cosine={c}"), 10) for c in ("false", "true"))
    for step in (0, 50, 100):
        assert linear.factor(step) == pytest.approx(cosine.factor(step))
    assert cosine.factor(25) > linear.factor(25)


def test_warm_up_takes_a_third_of_a_short_run_at_most_and_can_be_off():
    assert Schedule(config("schedule.epochs=3"), 50).warmup == 50
    assert Schedule(config("schedule.warmup_epochs=0"), 50).warmup == 0


def test_adam_does_not_warm_biases_from_sgd_rate():
    assert Schedule(config("optim.name=AdamW"), 50).learning_rates(0) == (0.0, 0.0, 0.0)


def test_ema_by_hand():
    model = nn.BatchNorm2d(1)
    ema = EMA(model, decay=0.5, tau=1e-9)  # the ramp is over at once
    model.weight.data.fill_(3.0)
    model.running_mean.fill_(8.0)
    model.num_batches_tracked.fill_(5)
    ema.update()
    assert ema.module.weight.item() == 2.0 and ema.module.running_mean.item() == 4.0
    assert ema.module.num_batches_tracked.item() == 5 and not ema.module.weight.requires_grad


def state(model, *settings):
    optimizer = build_optimizer(model, config(*settings).optim, 16)
    return TrainState(model, model, EMA(model, 0.9, 1), optimizer, torch.amp.GradScaler("cpu", enabled=False))


def test_non_finite_gradients_are_never_applied():
    model = net()
    training = state(model)
    before = copy.deepcopy(model.state_dict())
    for attempt in range(SKIP_LIMIT):
        (model(torch.randn(2, 3, 3, 3)).sum() * float("nan")).backward()
        if attempt < SKIP_LIMIT - 1:
            assert not optimizer_step(training, clip_norm=10, pictures=2)
        else:
            with pytest.raises(NumericError, match="optim.lr0"):
                optimizer_step(training, clip_norm=10, pictures=2)
    assert all(
        torch.equal(before[k], v) for k, v in model.state_dict().items() if "running" not in k and "num" not in k
    )
    assert training.ema.updates == 0


@pytest.mark.parametrize(("limit", "kept"), [(2.0, 0.4), (7.0, 1.0), (0.0, 1.0)])
def test_clipping_means_the_same_for_any_number_of_pictures(limit, kept):
    """A mean gradient of norm 5, summed over 1 to 64 pictures: whatever their number, a limit of 2 leaves 2 of 5."""
    for pictures in (1, 4, 64):
        model = nn.Linear(9, 1, bias=False)
        training, before = state(model, "optim.weight_decay=0", "optim.momentum=0"), model.weight.detach().clone()
        model.weight.grad = torch.full((1, 9), 5 / 3 * pictures)
        assert optimizer_step(training, limit, pictures)
        moved = (before - model.weight.detach()).norm() / config().optim.lr0
        assert moved / (5 * pictures) == pytest.approx(kept, rel=1e-4)


def test_best_is_never_undefined():
    training = state(net())
    assert not training.is_best(None)
    assert training.is_best(0.2) and not training.is_best(0.2) and not training.is_best(None) and training.best == 0.2


def test_scalars_are_not_decayed():
    branch = ContrastiveBranch(8, 8, 16, -4.0)
    groups = build_optimizer(branch, OptimConfig(), 16).param_groups
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    assert id(branch.log_scale) not in decayed and id(branch.embed.weight) in decayed
