"""What is written about the inputs of a detect.py run, while they are looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from utils.console.log import LOG
from utils.console.signals import Stop, Stopped
from utils.detecting.answer_rows import answer_line
from utils.detecting.csv_tables import FoundTables
from utils.detecting.output_options import DetectionOutput
from utils.detecting.picture_files import FoundFiles
from utils.detecting.totals import Totals
from utils.files.output_files import Results
from utils.flags.detect_flags import DetectFlags
from utils.processes.distributed import World
from utils.report.detection import DetectionReport
from utils.values.picture_result import PictureResult
from utils.words.errors import printable


def write_run(
    run: Path,
    results: Iterable[PictureResult],
    names: tuple[str, ...],
    output: DetectionOutput,
    world: World,
    stop: Stop,
) -> Totals:
    """Write everything into the folder `run`, result by result, and say what there was in all.

    Of several processes each writes the pictures of its own inputs; the first one has the tables, the report and the
    totals, which are zero on the others. Raises ResourceError, after all inputs, for what could not be written.

    Raises Stopped, after files and tables are complete for what came, when some process's `stop` has received a signal.
    """
    totals, report = Totals(), DetectionReport(names)
    with Results() as lost:
        with FoundFiles.open(run, output, lost) as files:
            rows: Iterable[PictureResult] = _filed(results, files, report)
            if world.size > 1:
                # list() runs the generator, which writes this process's files; the gathered rows have no pictures
                rows = chain(*world.gather(list(rows)))
            if world.first:
                with FoundTables.open(run, output, lost, names) as tables:
                    for one in rows:
                        if output.verdicts:
                            LOG.info(verdict_line(one))
                        for answer in one.answers:
                            LOG.info(printable(answer_line(one.frame.name, answer)))
                        tables.add(one)
                        totals.add(one)
        if number := world.broadcast(max(world.gather(stop.received), default=0)):
            raise Stopped(number, totals.done(run))
        report.join(world.gather(report.best))
        report.questions.join(world.gather(report.questions))
        if world.first:
            totals.log(run)
            report.write(run, totals, lost, html=output.pictures)
    return totals


def say_fainter(flags: DetectFlags, totals: Totals, conf: float) -> None:
    """What to try next where words find nothing with a score of `conf`."""
    if flags.prompts and not flags.thresholds and totals.looked and not totals.bad:
        LOG.info(
            "by these words nothing has a score of %g: a lower --conf shows what is fainter, a larger --img what is "
            "smaller; --examples, a few labelled pictures, says more than words",
            conf,
        )


def _filed(results: Iterable[PictureResult], files: FoundFiles, report: DetectionReport) -> Iterator[PictureResult]:
    """Each result after its own files are written, without its picture."""
    for one in results:
        files.add(one)
        report.show(one)
        done = one.without_picture()
        del one  # its picture may be huge, and the next one is as large
        yield done


def verdict_line(result: PictureResult) -> str:
    """`NG  part 7.png: scratch 2`."""
    why = result.words()
    return f"{result.verdict}  {printable(result.frame.name)}{f': {printable(why)}' if why else ''}"
