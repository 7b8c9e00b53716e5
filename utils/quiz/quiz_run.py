"""val.py --task vqa: an evaluation is put to questions, and what comes of it is written."""

from __future__ import annotations

from pathlib import Path

from utils.answers.lexicon import Lexicon
from utils.answers.reading_file import checked_reading
from utils.console.log import LOG
from utils.files.output_files import Results
from utils.flags.val_flags import ValFlags
from utils.inspection.inspection_config import InspectionConfig
from utils.questions.question import Kind
from utils.quiz.examination import Examiner
from utils.quiz.given import read_questions
from utils.quiz.made import make_questions
from utils.quiz.quiz_files import write_quiz
from utils.scoring.evaluation import DEFAULT_CONFIDENCE, Evaluation
from utils.words.errors import DataError


def quiz(
    run: Path, evaluation: Evaluation, lexicon: Lexicon, config: InspectionConfig, flags: ValFlags, results: Results
) -> None:
    """Put `evaluation`, whose classes `lexicon` names, to the questions of --questions, or to some made from its truth,
    and write into the folder `run` how often it is right. Raises UserError.
    """
    records, given = evaluation.records, None
    if flags.questions:
        items = read_questions(flags.questions, [str(record.path) for record in records])
    else:
        items = make_questions(records, evaluation.names, flags.seed, config.mm_per_px)
        if not any(item.kind is Kind.VERDICT for item in items):
            LOG.info("verdict: not asked, which takes good pictures and bad ones; the line `escape` above tells of it")
    if not items:
        raise DataError("--task vqa: the labels allow no question; there are no pictures")
    if config.given is not None:
        given = checked_reading(config.given.source, lexicon, config.given.values, DEFAULT_CONFIDENCE)
    examined = Examiner(evaluation, lexicon, config, given).examine(items)
    about = {"questions": Path(flags.questions).name or f"made from the labels, seed {flags.seed}"}
    write_quiz(run, examined, evaluation.files, about, results)
