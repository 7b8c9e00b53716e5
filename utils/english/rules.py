"""English: its rules in the order in which they are tried, and its words."""

from __future__ import annotations

from utils.english.compared import COMPARISONS
from utils.english.found import CLASSES, DESCRIPTIONS, KINDS, LOCATIONS
from utils.english.judged import SEVERITIES, VERDICTS
from utils.english.measured import MEASURED
from utils.english.noun_phrase import EnglishNouns
from utils.english.presence import PRESENCES
from utils.english.words import LEAST, MACROS, MEANINGS, MEASURES, SLOTS
from utils.questions.grammar import Grammar
from utils.questions.phrasing import Phrasings

_RULES = (*VERDICTS, *COMPARISONS, *KINDS, *MEASURED, *LOCATIONS, *SEVERITIES, *DESCRIPTIONS, *CLASSES, *PRESENCES)
ENGLISH = Grammar("en", Phrasings(_RULES, MACROS, SLOTS, " "), EnglishNouns, MEASURES, MEANINGS, LEAST)
