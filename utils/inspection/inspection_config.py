"""How an inspection looks at detections: what a hit is, what the thresholds aim at, how sizes are binned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from utils.deciding.decisions import Cost, parse_cost
from utils.deciding.thresholds import LOWEST
from utils.flags.val_flags import ValFlags
from utils.inspection.sizes import BINS, parse_bins
from utils.scoring.matching import MatchRule
from utils.values.record import Record
from utils.values.score_thresholds import ScoreThresholds
from utils.words.errors import ConfigError, DataError, printable


@dataclass(frozen=True, kw_only=True)
class InspectionConfig:
    """How to look: `rule` for a hit; the thresholds are those `given`, or else aim at `false_per_picture`, or where one
    of these is there, at the share `overkill` of the good pictures, the share `escape` of the bad ones, or the least
    `cost`; `bins` in px, or mm with `mm_per_px`; `lowest` is the confidence at which the detections were gathered;
    those of at least `confident` cast doubt on labels. `false_answers`: the shares of a false yes and a false no, to
    whether a picture shows a class, that are wanted.
    """

    rule: MatchRule = field(default_factory=MatchRule)
    false_per_picture: float = 0.1
    overkill: float | None = None
    escape: float | None = None
    cost: Cost | None = None
    given: ScoreThresholds | None = None
    bins: tuple[float, ...] = BINS
    mm_per_px: float | None = None
    lowest: float = LOWEST
    false_answers: tuple[float, float] = (0.1, 0.1)
    confident: float = 0.5

    @property
    def aim(self) -> str:
        """What the thresholds were chosen for, in words, or where they are from."""
        if self.given is not None:
            return f"given by {printable(Path(self.given.source).name)}"  # reports name no folder
        if self.cost is not None:
            return f"for least cost at {self.cost.escape:g} per escape and {self.cost.overkill:g} per overkill"
        if self.overkill is not None:
            return f"for at most {100 * self.overkill:.3g} % overkill"
        if self.escape is not None:
            return f"for at most {100 * self.escape:.3g} % escapes"
        return f"for at most {self.false_per_picture:g} false alarms per picture"

    @property
    def weighing_flag(self) -> str:
        """The flag that weighs good pictures against bad ones, so that there must be both; or ""."""
        aims = {"--cost": self.cost, "--max-overkill": self.overkill, "--max-escape": self.escape}
        return next((flag for flag, value in aims.items() if value is not None), "")


def inspection_config(
    flags: ValFlags | None,
    lowest: float,
    mm_per_px: float | None,
    records: Sequence[Record],
    given: ScoreThresholds | None = None,
) -> InspectionConfig:
    """How to look, as `flags` say (None: the defaults), at detections gathered from the confidence `lowest` on. The
    thresholds `given` are scored, without them others are chosen.

    Raises ConfigError for options that contradict each other, and DataError where good and bad pictures are to be
    weighed and there are none of a kind.
    """
    plain = InspectionConfig(bins=default_bins(mm_per_px), mm_per_px=mm_per_px, lowest=lowest)
    if flags is None:
        return plain
    aims = {
        "--cost": flags.cost or None,
        "--max-overkill": flags.max_overkill,
        "--max-escape": flags.max_escape,
        "--fa-per-image": flags.fa_per_image,
    }
    several = [flag for flag, value in aims.items() if value is not None]
    if len(several) > 1:
        raise ConfigError(f"{' and '.join(several)}: each chooses the thresholds; give one of them")
    if flags.match == "center" and flags.match_iou is not None:
        raise ConfigError("--match-iou: has no meaning with --match center; leave one out")
    if flags.match_iou == 0:
        raise ConfigError("--match-iou 0: must be above 0, else every box lies on every other")
    if given is not None and lowest > min(given.values):
        least = f"the least threshold of {printable(given.source)}, {min(given.values):g}"
        raise ConfigError(f"--conf-thres {lowest:g}: above {least}: detections would be missing; leave it out")
    config = InspectionConfig(
        given=given,
        rule=MatchRule(flags.match, 0.5 if flags.match_iou is None else flags.match_iou),
        false_per_picture=0.1 if flags.fa_per_image is None else flags.fa_per_image,
        overkill=flags.max_overkill,
        escape=flags.max_escape,
        cost=parse_cost(flags.cost) if flags.cost else None,
        bins=parse_bins(flags.bins) if flags.bins else plain.bins,
        mm_per_px=mm_per_px,
        lowest=lowest,
        false_answers=(flags.false_yes, flags.false_no),
    )
    good = any(record.good for record in records)
    check_weighable(config, good, any(not record.crowd.all() for record in records))
    return config


def default_bins(mm_per_px: float | None) -> tuple[float, ...]:
    """0, 8, 16, 32, 96 px; as many mm as that is where a pixel's size is known."""
    return BINS if mm_per_px is None else tuple(float(f"{edge * mm_per_px:.3g}") for edge in BINS)


def check_weighable(config: InspectionConfig, good: bool, bad: bool) -> None:
    """Raise DataError where `config` weighs good pictures against bad ones and there are none of a kind."""
    flag = config.weighing_flag
    for kind, some in (("good", good), ("bad", bad)):
        if flag and not some:
            raise DataError(f"{flag}: there are no {kind} pictures to weigh; use --fa-per-image instead")
