"""English: its rules in the order in which they are tried, and its words."""

from __future__ import annotations

import re

from utils.english.compared import COMPARISONS
from utils.english.found import CLASSES, DESCRIPTIONS, KINDS, LOCATIONS
from utils.english.judged import SEVERITIES, VERDICTS
from utils.english.measured import MEASURED
from utils.english.noun_phrase import EnglishNouns
from utils.english.presence import PRESENCES
from utils.english.words import LEAST, MACROS, MEANINGS, MEASURES, SLOTS
from utils.questions.grammar import Grammar
from utils.questions.marks import FILTER
from utils.questions.phrasing import Phrasings
from utils.questions.scope import Scope

_RULES = (*VERDICTS, *COMPARISONS, *KINDS, *MEASURED, *LOCATIONS, *SEVERITIES, *DESCRIPTIONS, *CLASSES, *PRESENCES)
_SCOPE = Scope(
    every=re.compile(r"(?<![^ ])(?<!at )(?:all|every|each)(?![^ ])"),
    vague=re.compile(r"(?<![^ ])(?<!how )(?<!as )(?:many|too|enough|another|few|lots|plenty)(?![^ ])"),
    exists=re.compile(r"(?<![^ ])(?:there|any|some|an?|have|has|having|see|find|detect|spot|exist|exists)(?![^ ])"),
    definite=re.compile(r"^(?:is|are|was|were|whether) (?:the|it|its|they|their|this|that|these|those) "),
    it=re.compile(r"(?<![^ ])(?:it|they|this|that|these|those)(?![^ ])"),
    share=re.compile(rf"(?:what|which) [^ ]+ of (?:(?! (?:is|are|do|does|has|have) ).)* {FILTER}"),
)
ENGLISH = Grammar("en", Phrasings(_RULES, MACROS, SLOTS, " "), EnglishNouns, MEASURES, MEANINGS, LEAST, _SCOPE)
