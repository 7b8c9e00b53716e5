"""What an evaluation leaves in its run folder, wherever the detections come from: score, inspect, write, draw, page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from utils.answers.reading_choice import choose_reading
from utils.answers.reading_file import reading_text
from utils.console.log import LOG
from utils.deciding.threshold_file import thresholds_text
from utils.drawing.plots import plot_times
from utils.drawing.score_plots import plot_scores
from utils.files.output_files import Extra, Results, write_json, write_text
from utils.inspection.inspection import Inspection, inspect
from utils.inspection.plots import plot_inspection
from utils.processes.speed import Speed
from utils.report.evaluation import ReportOptions, results_json, write_report
from utils.scoring.evaluation import Evaluation
from utils.scoring.frequency import frequency_lines
from utils.scoring.novelty import group_lines
from utils.scoring.score_summary import as_lines
from utils.scoring.score_tables import write_tables
from utils.values.unknown_defect import UNKNOWN


def write_results(
    run: Path, evaluation: Evaluation, about: Mapping[str, Any], options: ReportOptions, results: Results
) -> None:
    """Log the scores and what an inspection line asks for, then write them and the other files of an evaluation.

    `about` is what the numbers must name, such as the text encoder; results.json and thresholds.yaml hold it.
    """
    for line in (*as_lines(evaluation.report, options.verbose), *group_lines(about), *frequency_lines(about)):
        LOG.info(line)
    inspection = inspect(evaluation, options.inspection)
    for line in inspection.lines():
        LOG.info(line)
    zones = {"zones": options.zones.plain()} if options.zones else {}
    scores = results_json(evaluation, inspection, {**about, **zones})
    # predictions.json and truth.json are enough for any COCO evaluator to check the numbers
    with results.writing():
        write_json(run / "results.json", scores)
    for name, rows in (("predictions.json", evaluation.results), ("truth.json", evaluation.truth)):
        with results.writing():
            write_json(run / name, rows, compact=True)
    with results.writing():
        write_thresholds(run, evaluation, inspection, {**about, "note": "; ".join(evaluation.notes)}, options)
    write_tables(run, evaluation)
    if options.plots:
        with Extra("plots of the scores"):
            plot_scores(run, evaluation)
        with Extra("plots of the inspection"):
            plot_inspection(run, inspection)
    write_report(run, evaluation, inspection, scores, options, results)


def write_thresholds(
    run: Path, evaluation: Evaluation, inspection: Inspection, about: Mapping[str, Any], options: ReportOptions
) -> None:
    """thresholds.yaml, with where it comes from as a comment; and how questions are to be answered, where these
    pictures choose.
    """
    comment = [*(f"{key}: {value}" for key, value in about.items() if value), *inspection.lines()[:7]]
    names, thresholds = inspection.names, inspection.point.thresholds
    if inspection.unnamed is not None:
        names, thresholds = (*names, UNKNOWN), (*thresholds, inspection.unnamed.threshold)
    text = thresholds_text(
        names, thresholds, comment, options.nms, options.weights, options.chosen_on, options.chosen_in
    )
    if options.inspection.given is None:
        matching = evaluation.matched_by(options.inspection.rule)
        reading = choose_reading(matching, inspection.point.thresholds, options.inspection)
        text += reading_text(reading, inspection.names)
    write_text(run / "thresholds.yaml", text)


def write_speed(run: Path, speed: Speed, plots: bool) -> None:
    """speed.json, the same as a table on the console, and speed.png unless `plots` is off."""
    for line in speed.lines():
        LOG.info(line)
    write_json(run / "speed.json", speed.plain())
    if plots:
        title = f"{speed.per_second:.1f} pictures/s on {speed.known['device']}, batch {speed.known['batch']}"
        with Extra(run / "speed.png"):
            plot_times(speed.rows(), run / "speed.png", title)
    LOG.info("written to %s: speed.json%s", run, ", speed.png" if plots else "")
