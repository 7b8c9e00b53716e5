"""What is looked for at every start of train.py and val.py, beside what reading a split finds: pictures in two splits,
or twice in one that is evaluated.

It reads little: file sizes, and samples of files of the same size. `python -m data.audit` looks at everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from data.checks.overlap import EVALUATED, overlap_findings, repeat_findings
from data.checks.same_pictures import Listed, same_pictures
from data.files.data_report import Finding
from data.index.flat_truth import picture_paths
from data.index.union import DataSource
from data.pictures.oddities import SHOWN
from data.sets.data_yaml import check_present
from data.sets.picture_lists import Listing
from data.sets.split_reading import RecordSet
from utils.console.log import LOG, own_rank
from utils.words.errors import UserError

MOST = 200_000  # pictures: a look at the files of more would take longer than opening their index
MOST_BYTES = 1 << 30  # of files that are the same by their samples


def said_once(sets: Mapping[str, RecordSet], source: DataSource | None = None) -> dict[str, RecordSet]:
    """The same sets with what is odd about all of them in their reports; the first process logs a warning of each.

    Of one split alone the training pictures of `source` are listed to be compared with it.
    """
    found = dict(sets)
    if own_rank():
        return found
    paths = {split: picture_paths(one.records) for split, one in sets.items()}
    if source is not None and "train" not in paths:
        paths["train"] = _listed(source, "train")
    last = next(reversed(found))
    found[last] = found[last].with_findings(check_splits(paths))
    for one in found.values():
        for sentence in one.data_report.warnings():
            LOG.warning(sentence)
    return found


def check_splits(paths: Mapping[str, list[str]]) -> tuple[Finding, ...]:
    """Pictures that are in two of the splits, or twice in one that is evaluated, by path or by bytes."""
    total = sum(map(len, paths.values()))
    if total > MOST:
        said = f"{' and '.join(paths)}: {total:,} pictures are too many to be compared at every start"
        return (
            Finding(kind="not_compared", count=total, said=said, advice="python -m data.audit does", severity="note"),
        )
    pictures = [Listed(split, path) for split, listed in paths.items() for path in listed]
    groups, sampled = same_pictures(pictures, EVALUATED, most_bytes=MOST_BYTES)
    found = list(overlap_findings(groups, {split: len(listed) for split, listed in paths.items()}, SHOWN))
    for split in EVALUATED:
        found += repeat_findings(groups, split, SHOWN)
    if sampled:
        said = f"{sampled:,} pictures in the splits are the same by their samples and were not compared whole"
        found.append(Finding(kind="not_compared", count=sampled, said=said, advice="python -m data.audit does"))
    return tuple(found)


def _listed(source: DataSource, split: str) -> list[str]:
    """The pictures of a split that is not read; none where that cannot be told, as on a machine without it."""
    found: list[str] = []
    for member in source.members:
        try:
            check_present(member, split)
            found += map(str, Listing(member, split).pictures)
        except UserError:
            continue
    return found
