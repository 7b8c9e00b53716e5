"""The folder of a training run: a new one, the small files that say how it came about, and the last words about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from utils.config.config import Config
from utils.config.settings import as_yaml, hyp_yaml
from utils.console.log import LOG, log_to
from utils.drawing.plots import plot_results
from utils.files.earlier_run import OF_TRAINING
from utils.files.output_files import Extra, make_folder, remove_result, write_json, write_text
from utils.files.runs import LAST_WRITTEN, new_run, provenance, write_about
from utils.processes.distributed import World
from utils.processes.launch import launch_id
from utils.training.alone import alone_in


def shared_new_folder(cfg: Config, world: World) -> Path:
    """One new run folder for all processes. Raises ConfigError or ResourceError."""
    if not world.first:
        return world.broadcast(Path())
    run = cfg.run
    if run.exist_ok:
        with alone_in(Path(run.project) / run.name, earlier=True):  # before what it has written is removed
            pass
    return world.broadcast(new_run(run.project, run.name, run.exist_ok, OF_TRAINING, [cfg.model.weights]))


def open_run_folder(
    folder: Path,
    cfg: Config,
    origins: Mapping[str, str],
    data_report: Mapping[str, Any],
    about: Mapping[str, Any],
    argv: Sequence[str] | None,
) -> None:
    """Begin train.log, write opt.yaml, hyp.yaml, run.json and data_report.json. `about` goes into run.json."""
    make_folder(folder / "weights")
    remove_result(folder / LAST_WRITTEN)  # it says that the results are complete
    log_to(folder / "train.log")
    write_text(folder / "opt.yaml", as_yaml(cfg, origins))
    write_text(folder / "hyp.yaml", hyp_yaml(cfg, origins))
    origin = {**provenance(argv), "seed": cfg.run.seed, **about, "launch": launch_id()}
    write_about(folder, origin, cfg.run.full_paths)
    write_json(folder / "data_report.json", data_report)


def close_run_folder(folder: Path, weights: str, epoch: int, cfg: Config, best: float | None) -> None:
    """Draw results.png; say which checkpoint to take, `weights` of that epoch, and what else there is."""
    if not cfg.run.noplots:
        with Extra(folder / "results.png"):
            plot_results(folder / "results.csv", folder / "results.png")
    if best is None:
        LOG.info("%s is undefined on the validation pictures: no epoch is the best", cfg.run.best_metric)
    page = "report.html, pictures" if (folder / "report.html").exists() else "report.json"
    LOG.info("done: %s/weights/%s (epoch %d), results.csv, %s", folder, weights, epoch + 1, page)
