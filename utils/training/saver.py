"""When a run is saved, and what into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from utils.config.config import RunConfig
from utils.files import checkpoint
from utils.training.state import TrainState, random_state

SMALL = ("ema", "epoch", "step", "best")


class Saver:
    """Writes last.pt with everything needed to continue; best.pt and epochN.pt with the averaged weights only.

    `about` is what a checkpoint says of its run: model_spec, names, channels, config, origins, vocabulary.
    Every process of a run calls alike; the first one writes.
    """

    def __init__(self, folder: Path, cfg: RunConfig, about: dict[str, Any]) -> None:
        self.folder, self.cfg, self.about = folder, cfg, about
        self.saved = 0  # step

    def save_now(self, state: TrainState) -> None:
        """last.pt, in the middle of an epoch or at its end."""
        self.saved = state.step
        states = state.world.gather(random_state(), short_timeout=True)
        if state.world.first:
            content = {**state.plain(states), **self.about}
            checkpoint.save(self.folder / "last.pt", content, keep_previous=True)
        state.world.barrier()

    def save_step(self, state: TrainState) -> None:
        """After every --save-steps steps."""
        if self.cfg.save_steps and state.step - self.saved >= self.cfg.save_steps:
            self.save_now(state)

    def save_epoch(self, state: TrainState, improved: bool, last: bool) -> None:
        """After an epoch that is complete. best.pt first: whoever continues from last.pt finds it."""
        if self.cfg.nosave and not last:
            return
        period = self.cfg.save_period
        kept = [self.folder / "best.pt"] if improved else []
        kept += [self.folder / f"epoch{state.epoch + 1}.pt"] if period > 0 and (state.epoch + 1) % period == 0 else []
        if kept and state.world.first:
            plain = state.plain([])
            for path in kept:
                checkpoint.save(path, {**{name: plain[name] for name in SMALL}, **self.about})
        self.save_now(state)
