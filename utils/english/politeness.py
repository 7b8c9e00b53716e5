"""What an English question says to the one who answers, and nothing about the picture: taken off."""

from __future__ import annotations

import re

from utils.questions.marks import THING

# What follows "can you" in an order. "Can you find any holes" is none, it asks whether there are some.
_ORDERS = (
    "tell|show|give|count|list|name|describe|point|measure|check|say|help|mark|determine|estimate|report|compare|rate"
    "|grade|classify|summari[sz]e|look|explain|let|enumerate|confirm|verify|calculate|highlight|state|assess|judge"
    "|evaluate|inspect|provide|output|indicate|please|tag|label|characteri[sz]e|assign|specify"
    "|(?:find|locate|identify)(?! (?:any|an?|some) )"
)
_KNOW = "(?:know|see|find out|ask|learn|check|understand|hear|have|get|be told)(?: from you)?"
_LEADING = (
    "please|pls|plz|kindly|hi|hello|hey|and|also|then|but|plus|excuse me|thank you|thanks|sorry|well ,|so|ok ,|now",
    r"dear \w+|good (?:morning|day|evening|afternoon)|(?:quick |my )?question(?: is)? ,",
    r"\w+ ,(?= (?:please|can you) )",
    "if (?:so|yes|any|there (?:is|are)(?: one| any| some)?(?= ,))",
    rf"(?:can|could|would|will) (?:you|u|we|i|one)(?: please| maybe| just| also)*(?= (?:{_ORDERS}) )",
    rf"(?:i|we) (?:(?:would|should|will) )?(?:want|need|like|wish|have)(?: you)?"
    rf"(?: to {_KNOW}|(?= to (?:{_ORDERS})))",
    "to(?= tell )|(?:i|we) (?:am |are )?(?:asking|wonder|wondering)|do you know|let (?:me|us) know|would you say",
    "help me(?: to)?|(?:i|we) (?:want|need)(?= the )|my question is",
    "(?:tell|inform)(?: me| us)?(?! (?:about|me|us|more|(?:all )?(?:the )?(?:defect|flaw|fault|anomal|damage)))",
    "say(?! about| something)",
    rf"(?:look|looking|have a look|take a look) at (?:{THING}|it|this)",
    "(?:check|see|verify|confirm|determine|assess|judge|evaluate|inspect|find out|say|count|explain|state|report"
    rf"|measure)(?: {THING}| it)?(?= (?:,|and|if|whether|how|where|what|which) )",
)
_LEADING_WORDS = re.compile(rf"(?:{'|'.join(_LEADING)})(?: ,)? ")
_IDLE = (
    "please|pls|plz|kindly|really|actually|exactly|also|still|just|maybe|perhaps|currently|possibly|clearly|overall",
    "approximately|roughly|approx|precisely|in all|at all|if any|at the moment|right now|for me|for us|do you think",
    "in your opinion|or (?:not|no)(?= ?$| ,)|yes or no|thank you|thanks|to you|altogether|in total|total(?= number)",
    "now|indeed|simply|briefly|in detail|in short|in one sentence|in a few words|shortly|anyhow|even|again|already",
    "ever|directly|quickly|exact|approximate|would you say|if possible|in particular|especially|specifically",
    "particular|together",
)
_IDLE_WORDS = re.compile(rf"(?<![^ ])(?:{'|'.join(_IDLE)})(?![^ ])")


def without_politeness(words: str) -> str:
    """What is left of `words`; what is nothing but polite stays, for it asks nothing."""
    words = " ".join(_IDLE_WORDS.sub("", words).split()) or words
    while (match := _LEADING_WORDS.match(words)) and match.end() < len(words):
        words = words[match.end() :].lstrip(" ,")
    return words.strip(" ,")
