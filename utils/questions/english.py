"""English: its rules in the order in which they are tried, and its words."""

from __future__ import annotations

from utils.questions.english_compared import COMPARISONS
from utils.questions.english_found import CLASSES, DESCRIPTIONS, KINDS, LOCATIONS
from utils.questions.english_judged import SEVERITIES, VERDICTS
from utils.questions.english_measured import MEASURED
from utils.questions.english_noun_phrase import EnglishNouns
from utils.questions.english_presence import PRESENCES
from utils.questions.english_words import LEAST, MACROS, MEANINGS, MEASURES, SLOTS
from utils.questions.grammar import Grammar
from utils.questions.phrasing import Phrasings

_RULES = (*VERDICTS, *COMPARISONS, *KINDS, *MEASURED, *LOCATIONS, *SEVERITIES, *DESCRIPTIONS, *CLASSES, *PRESENCES)
ENGLISH = Grammar("en", Phrasings(_RULES, MACROS, SLOTS, " "), EnglishNouns, MEASURES, MEANINGS, LEAST)
