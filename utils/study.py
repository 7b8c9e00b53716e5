"""A study: `python -m utils.study PLAN.yaml`. The trainings of a plan, one by one, and what their differences say.

What is done is skipped, what was broken off goes on: start it again as often as you like.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import shlex
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from models.graph.builder import build_graph
from models.ready.new_model import traits_of
from models.rows.model_spec import read_spec
from utils.config.config import Config
from utils.config.paths import find_yaml
from utils.console.log import LOG
from utils.console.script import run_script
from utils.flags.command_flags import parse_study
from utils.studies.plan import read_plan
from utils.studies.planned_config import NetworkFacts
from utils.studies.runner import listing, run_study, say_tables

TRAIN = Path(__file__).resolve().parents[1] / "train.py"


def facts_of(cfg: Config) -> NetworkFacts:
    """What a plan must know of the network that a training is planned with. Raises ConfigError for a faulty YAML."""
    return _facts(find_yaml(cfg.model.cfg, "models", "--cfg"), cfg.model.weights)


@lru_cache(maxsize=1000)
def _facts(path: Path, weights: str) -> NetworkFacts:
    spec = read_spec(path)
    graph = build_graph(spec.with_values(sam="none") if "sam" in spec.data else spec)
    return NetworkFacts(traits_of(graph, spec.classes, weights), graph.stride)


def main_story(argv: Sequence[str] | None) -> int:
    """Read the plan; list its runs, write its tables, or train what is left."""
    flags = parse_study(argv)
    plan = read_plan(flags.plan, flags.out, flags.roots, facts_of)
    if flags.dry_run:
        for line in listing(plan):
            LOG.info(line)
        return 0
    if flags.table:
        say_tables(plan)
        return 0
    return run_study(
        plan, TRAIN, shlex.join(["python", "-m", "utils.study", *(sys.argv[1:] if argv is None else argv)])
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
