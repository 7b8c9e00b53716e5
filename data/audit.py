"""A look at a whole data set before training: `python -m data.audit FOLDER|YAML [--out FOLDER] [--write my.yaml]`.

Every split is read, every picture is decoded. What is odd is counted and named on the console, the worst first:
pictures that are in two splits or look alike, kinds that are not read, dark and turned pictures, lost boxes, classes
that only one split has. `--out` keeps everything in audit.json, with contact sheets of the suspects; `--write` writes
a data YAML for a folder that has none; `--strict` ends with exit code 3 if a number would be wrong or data is lost.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from data.checks.audit import Audit
from data.checks.sheets import write_sheets
from data.files.data_report import Finding
from data.folds import divide
from data.index.flat_truth import flatten
from data.index.union import DataSource, open_data
from data.sets.data_folders import keep_results_out
from data.sets.data_yaml import open_source
from data.sets.unsorted_folder import WHOLE, describe_unsorted
from data.sets.yaml_writer import write_data_yaml
from utils.config.config import DataConfig
from utils.console.log import LOG
from utils.console.script import run_script
from utils.files.output_files import write_json
from utils.files.output_paths import keep_out, keep_out_of_layouts
from utils.files.runs import new_folder
from utils.flags.command_flags import AuditFlags, parse_audit
from utils.words.errors import ConfigError, DataError, printable
from utils.words.text import counted

SHOWN = 3  # names of a finding on the console
OUTPUTS = ("out", "write")
PARTS = 5  # of a folder without splits one in so many groups is proposed for validation


def main_story(argv: Sequence[str] | None) -> int:
    """Read, look, say, write."""
    flags = parse_audit(argv)
    notices: list[str] = []
    source = open_audited(flags, notices)
    for notice in notices:
        LOG.info(notice)
    outputs = {option: Path(path).absolute() for option, path in vars(flags).items() if option in OUTPUTS and path}
    for option, path in outputs.items():
        keep_out_of_layouts(path, f"--{option}")
        keep_results_out(path, source.members, f"--{option}")
    audit = Audit.of(source, flags.max_pixels, flags.imgsz, flags.min_box_px)
    for line in words_of(audit):
        LOG.info(line)
    undivided = set(audit.sets) == {WHOLE} and source.members[0].source.is_dir()
    proposal = propose(audit) if undivided else {}
    if proposal:
        sizes = " and ".join(f"{split} {len(paths):,}" for split, paths in proposal.items())
        LOG.info("proposal: %s, pictures that look alike on one side; --write my.yaml writes it down", sizes)
    for option, path in outputs.items():  # now that the lists are read
        keep_out(path, {Path(one.path).parent for one in audit.pictures}, flag=f"--{option}")
    if "out" in outputs:
        write_out(outputs["out"], audit)
    if "write" in outputs and undivided and not proposal:
        said = f"the pictures look like fewer than {PARTS}: too few to be divided"
        raise ConfigError(f"--write {printable(flags.write)}: {said}; add some, or sort them into train and val")
    if "write" in outputs:
        write_yaml(outputs["write"], source, proposal)
    return judge(audit.findings, flags.strict)


def open_audited(flags: AuditFlags, notices: list[str]) -> DataSource:
    """What is to be looked at; a folder that nobody sorted into splits is one split. Raises UserError."""
    try:
        source, said = open_data(DataConfig(data=flags.data, root=flags.root, max_pixels=flags.max_pixels), require=())
    except ConfigError:
        place = open_source(flags.data, [])
        if not isinstance(place, Path) or flags.root:
            raise
        return DataSource((describe_unsorted(place.absolute(), notices),))
    notices += said
    if not any(member.splits for member in source.members):
        raise ConfigError(f"{printable(flags.data)}: names no pictures; add train and val")
    return source


def words_of(audit: Audit) -> Iterator[str]:
    """The page on the console."""
    for one in audit.sets.values():
        yield one.data_report.summary()
        yield from one.data_report.notices
    if audit.sets:
        yield from audit.class_table()
    for finding in audit.findings:
        yield f"{finding.severity:>5}  {finding.said}{f'; {finding.advice}' if finding.advice else ''}"
        shown = finding.names[:SHOWN] if finding.severity != "note" else ()
        yield from (f"       {name}" for name in shown)
        if len(finding.names) > len(shown) > 0:
            yield f"       and {len(finding.names) - SHOWN:,} more"
    if not any(finding.severity != "note" for finding in audit.findings):
        yield "nothing odd was found"


def propose(audit: Audit) -> dict[str, list[Path]]:
    """A division of one split into training and validation pictures; groups that look alike stay together, each class
    has its share. Nothing where there are too few groups.
    """
    records = audit.sets[WHOLE].records
    numbers = {look.picture.path: group for look, group in zip(audit.looks, audit.alike.groups(), strict=True)}
    groups = [str(numbers.get(str(record.path), f"{i} alone")) for i, record in enumerate(records)]
    if len(set(groups)) < PARTS:
        return {}
    parts = divide(groups, flatten(records).rarest_classes().tolist(), PARTS, seed=0)
    chosen = {"train": parts != 0, "val": parts == 0}
    return {split: [records[i].path for i in np.flatnonzero(rows).tolist()] for split, rows in chosen.items()}


def write_out(out: Path, audit: Audit) -> None:
    """audit.json and the contact sheets in the new folder `out`."""
    with new_folder(out):
        write_json(out / "audit.json", audit.plain())
        sheets = write_sheets(out, audit)
    LOG.info("written to %s: %s", printable(str(out)), ", ".join(["audit.json", *sheets]))


def write_yaml(path: Path, source: DataSource, proposal: dict[str, list[Path]]) -> None:
    """The data YAML of what was looked at."""
    if len(source.members) > 1:
        raise ConfigError("--write: a union is written by hand, it lists the YAMLs of its members")
    write_data_yaml(path, source.members[0], proposal)
    LOG.info("written: %s; python train.py --data %s", printable(str(path)), printable(str(path)))


def judge(findings: Sequence[Finding], strict: bool) -> int:
    """The exit code. Raises DataError for what --strict refuses."""
    wrong = [finding for finding in findings if finding.severity == "wrong"]
    if strict and wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise DataError(f"--strict: {wrong[0].said}{more}; mend {'it' if len(wrong) == 1 else 'them'}")
    if wrong:
        LOG.warning("%s would make numbers wrong, or lose data", counted(len(wrong), "finding"))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
