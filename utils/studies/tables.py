"""What a study leaves beside its runs: study.md, study.csv, study.json and study.png, the same for the same runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from utils.files.output_files import write_json, write_text
from utils.studies.answers import answers_of
from utils.studies.drawn_scores import DRAWS
from utils.studies.estimate import SURE
from utils.studies.finished_run import FinishedRun
from utils.studies.forest_plot import plot_answers
from utils.studies.notes import notes_of
from utils.studies.plan import Plan, PlannedRun
from utils.studies.summary import COLUMNS, arm_rows, run_rows
from utils.studies.table_words import console_lines, markdown
from utils.words.text import spreadsheet_cell

KEPT = ".draws"  # the folder of what was drawn for each run; it may be removed


def write_tables(plan: Plan, finished: Sequence[FinishedRun], failed: Mapping[PlannedRun, str]) -> list[str]:
    """Write what the runs so far say into `plan.out`, each file whole or not at all; returns lines for the console.
    `failed`: why a run did not end.

    Raises DataError where runs of a data set were judged on other pictures, or a run's files are broken; ResourceError
    where a file cannot be written.
    """
    order = {run: place for place, run in enumerate(plan.runs)}
    finished = sorted(finished, key=lambda one: order[one.run])
    answers = answers_of(plan, finished, plan.out / KEPT)
    rows, arms = run_rows(plan, finished, failed), arm_rows(plan, finished)
    notes = notes_of(plan, finished, failed, answers)
    write_text(plan.out / "study.csv", _csv(rows))
    write_text(plan.out / "study.md", markdown(plan, arms, answers, notes))
    plain = {"title": plan.title, "sure": SURE, "draws": DRAWS, "runs": rows, "notes": notes}
    write_json(plan.out / "study.json", {**plain, "answers": [one.plain() for one in answers]})
    plot_answers(plan.title, answers, plan.out / "study.png")
    return console_lines(arms, answers, len(plan.seeds))


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else spreadsheet_cell(str(value))
