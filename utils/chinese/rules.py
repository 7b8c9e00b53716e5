"""Chinese: its rules in the order in which they are tried, and its words."""

from __future__ import annotations

from utils.chinese.found import CLASSES, DESCRIPTIONS, LOCATIONS, PRESENCES
from utils.chinese.judged import COMPARISONS, SEVERITIES, VERDICTS
from utils.chinese.measured import COUNTS, EXTENTS, SIZES
from utils.chinese.noun_phrase import ChineseNouns
from utils.chinese.words import LEAST, MACROS, MEANINGS, MEASURES, SLOTS
from utils.questions.grammar import Grammar
from utils.questions.phrasing import Phrasings

# 最大的裂纹 is measured before its class is asked; 几种 is a class before 几个 is a count.
_RULES = (
    *VERDICTS,
    *SEVERITIES,
    *COMPARISONS,
    *EXTENTS,
    *SIZES,
    *LOCATIONS,
    *CLASSES,
    *COUNTS,
    *DESCRIPTIONS,
    *PRESENCES,
)
CHINESE = Grammar("zh", Phrasings(_RULES, MACROS, SLOTS, ""), ChineseNouns, MEASURES, MEANINGS, LEAST)
