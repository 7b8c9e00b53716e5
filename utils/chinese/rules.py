"""Chinese: its rules in the order in which they are tried, and its words."""

from __future__ import annotations

import re

from utils.chinese.found import CLASSES, DESCRIPTIONS, LOCATIONS, PRESENCES
from utils.chinese.judged import COMPARISONS, SEVERITIES, VERDICTS
from utils.chinese.measured import COUNTS, EXTENTS, SIZES
from utils.chinese.noun_phrase import ChineseNouns
from utils.chinese.words import LEAST, MACROS, MEANINGS, MEASURES, SLOTS
from utils.questions.grammar import Grammar
from utils.questions.marks import FILTER
from utils.questions.phrasing import Phrasings
from utils.questions.scope import Scope

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
_SCOPE = Scope(
    every=re.compile("都|所有|全部|全是|每[个条处道块]"),
    vague=re.compile("很多|许多|太[多少大小长短宽]|足够|还有别的|多个"),
    exists=re.compile("有|存在|看|出现|发现|任何"),
    definite=re.compile(f"[^有]{FILTER}了?吗$"),
    it=re.compile("是什么|它|这"),
)
CHINESE = Grammar("zh", Phrasings(_RULES, MACROS, SLOTS, ""), ChineseNouns, MEASURES, MEANINGS, LEAST, _SCOPE)
