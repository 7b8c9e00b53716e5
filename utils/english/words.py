"""Words that the English rules share: what stands for `<x>` and for `{x}` in their patterns."""

from __future__ import annotations

from collections.abc import Iterable

from utils.english.limits import ADJECTIVES, LESS, MORE, NOUNS
from utils.english.noun_phrase import DETERMINERS, PRONOUNS, RANKS, TRAITS
from utils.questions.marks import FILTER, NAME, THING
from utils.questions.question import Measure, Relation
from utils.questions.units import UNIT

MEANINGS = {
    **{word: (Relation.LARGER, measure) for word, measure in MORE.items()},
    **{word: (Relation.SMALLER, measure) for word, measure in LESS.items()},
    **dict.fromkeys(("larger", "bigger", "greater", "largest", "biggest", "greatest"), (Relation.LARGER, Measure.AREA)),
    **dict.fromkeys(("smaller", "smallest"), (Relation.SMALLER, Measure.AREA)),
    "longest": (Relation.LARGER, Measure.LENGTH),
    "shortest": (Relation.SMALLER, Measure.LENGTH),
    **dict.fromkeys(("more", "most", "more often"), (Relation.MORE, Measure.LENGTH)),
    **dict.fromkeys(("fewer", "less", "least", "fewest", "less often"), (Relation.FEWER, Measure.LENGTH)),
}
MEASURES = {**NOUNS, **ADJECTIVES}
LEAST = frozenset("min minimum minimal smallest shortest lowest least".split())

MACROS = {
    "be": "(is|are|was|were)",
    "do": "(do|does|did)",
    "part": "{thing}",
    "thing": "(<part>|it|this|that|they|these|those|this one|that one)",
    "isthing": "(<be> [all [of]] <thing>|whether [all [of]] <thing> <be>)",
    "exist": "(<be> there|there (<be>|exist|exists)|<do> there exist|exist|exists)",
    "isthere": "(<be> there|<do> there exist|exist|exists|whether there (<be>|exist|exists))",
    "viewer": "(you|we|i|one|u|[the] (model|system|detector|camera|inspection|ai)|anyone)",
    "see": (
        "(see|find|notice|spot|catch|detect|recognise|recognize|identify|observe|count|make out|perceive|discover"
        "|locate|distinguish|discern)"
    ),
    "seen": (
        "(seen|found|noticed|spotted|detected|recognised|recognized|identified|observed|counted|made out|discovered"
        "|located|visible|present|there|shown|existing|apparent|recognisable|recognizable|detectable|distinguished"
        "|discerned|noticeable|discernible|to be (seen|found)|in evidence)"
    ),
    "have": (
        "(have|has|show|shows|contain|contains|exhibit|exhibits|include|includes|bear|bears|had|get|have got|has got"
        "|suffer from|suffers from|display|displays|carry|carries|feature|features|present)"
    ),
    "viewing": (
        "(<do> (<viewer>|<thing>) (<see>|<have>)|(can|could) <viewer> <see>|have <viewer> <seen>|has <thing> [got])"
    ),
    "viewed": "(<viewer> [can] <see>|<thing> <have>)",
    "shown": (
        "(<exist>|<be> <seen>|(can|could|may) be <seen>|<viewing>|<viewed>|(have|has) been <seen>|appear|appears"
        "|occur|occurs|exist|<be>|<do> (occur|appear|exist)|<part> <have>|have|has|lie|lies|<be> (located|situated"
        "|lying))"
    ),
    "give": (
        "(give|assign|report|state|determine|estimate|calculate|compute|output|print|return|provide|get|find|show"
        "|check|say|measure|evaluate|indicate|need|specify|list|tell) [me|us]"
    ),
    "whatis": "[[<give>] (what|which) [<be>]|<give>] [the|a]",
    "list": (
        "(list|tell|name|enumerate|identify|classify|categorise|categorize|specify|report|give|print|output|provide) "
        "[me|us] [all] [of] [the]"
    ),
    "number": "([total] (number|count|amount|quantity|numbers|counts|tally|num))",
    "kind": "(kind|kinds|type|types|sort|sorts|class|classes|category|categories|name|names|nature|kinds or types)",
    "which": "(which|what|which of the|what are the|which are the)",
    "gen": "(defect|defects|fault|faults|flaw|flaws|anomaly|anomalies|damage|damages|issue|issues|problem|problems)",
    "gens": "([<kind> of] (<gen>|<kind>))",
    "one": "(one|ones|of the two|of both|of them|of these|<gens>)",
    "region": (
        "(corner|part|region|area|side|half|quadrant|quarter|place|position|location|section|zone|spot|third|direction"
        "|edge|corners|parts|regions|areas|sides|places|positions|end|cell|portion|coordinates)"
    ),
    "inwhich": "[in|at|on|near|within|from|to] (which|what) [<region>] <region>",
    "good": (
        "(good|go|ok|fine|acceptable|usable|in order|flawless|perfect|sound|intact|undamaged|faultless|conforming"
        "|conform|compliant|valid|accepted|approved|normal|passable|(within|in|up to|meeting) [the] [our] <spec>|fit "
        "for (use|purpose|shipping|shipment|delivery|sale)|saleable|sellable|shippable|qualified|satisfactory|passed"
        "|passing|pass|conformant|useable|in [a] good (condition|shape|state)|of good quality|(good|ok) (enough|to (go"
        "|ship|use|deliver))|unbroken|healthy|correct|a pass)"
    ),
    "bad": (
        "(bad|defective|faulty|damaged|scrap|ng|broken|rejected|unacceptable|unusable|reject|failed|failing|abnormal"
        "|non conforming|nonconforming|imperfect|flawed|out of <spec>|waste|junk|anomalous|unqualified|no good|no go"
        "|fail|rejectable|trash|in bad (condition|shape)|spoiled|nonconformant|of bad quality|not ok)"
    ),
    "spec": (
        "(spec|specs|specification|specifications|tolerance|tolerances|limits|standard|standards|norm|requirements"
        "|criteria|quality standard)"
    ),
    "test": "([the|this|our] [quality|visual|final] (inspection|test|qc|qa|check|control|criteria|quality))",
    "use": (
        "((ship|use|accept|deliver|sell|release|keep|pass|approve|install|take|assemble|process) <thing>|be "
        "(shipped|used|accepted|delivered|sold|released|kept|passed|approved|installed|taken|assembled)|pass|be <good>)"
    ),
    "drop": "(reject|scrap|discard|sort out|throw away|remove|refuse|block|return|throw out|rework)",
    "dropped": "(rejected|scrapped|discarded|sorted out|thrown away|removed|refused|blocked|thrown out|reworked)",
    "severe": "(bad|badly|severe|severely|serious|seriously|critical|critically|grave|heavily)",
    "scale": (
        "(severity|grade|damage level|defect level|seriousness|criticality|rating|severity degree|(degree|level) of "
        "severity|severity (rating|score|grade|level|class))"
    ),
    "cover": (
        "(cover|covers|occupy|occupies|take up|takes up|take|takes|fill|fills|affect|affects|make up|makes up|represent"
        "|account for|accounts for|covered|occupied|use|spread over|extend over|constitute)"
    ),
    "covered": "(covered|occupied|affected|taken up|filled|damaged|spoiled|taken|made up|hit|contaminated|destroyed)",
    "spoilt": "(covered|affected|damaged|defective|spoiled|faulty|contaminated|bad)",
    "share": "([area|relative|surface] (share|percentage|percent|fraction|proportion|portion|part|ratio|%) [area])",
    "room": "([the] [total|whole|entire] [area|surface] [of] (area|space|room|<thing>) [area])",
    "total": "(total|whole|overall|combined|summed|entire|covered|affected)",
    "often": "(common|frequent|numerous|abundant|frequently occurring|prevalent|often|frequently)",
    "describe": (
        "(describe|characterise|characterize|summarise|summarize|[give [me|us]|i need|write|provide] <summary> of)"
    ),
    "summary": (
        "([a|an|the] [short|brief|full|detailed|general|verbal] (description|summary|overview|characteristics"
        "|features))"
    ),
    "rule": "[(according to|by|per) [the|our] (thresholds|threshold file|rules|<spec>)]",
    "form": "(shape|form|geometry|outline|contour|shapes|forms)",
    "look": "(look|appear|seem)",
    "ask": (
        "(locate|localise|localize|point [me|us] (to|at|out)|show [me|us]|mark|highlight|pinpoint|box|find|detect"
        "|circle|outline) [all] [of]"
    ),
}
_NO_NOUNS = DETERMINERS | PRONOUNS | frozenset("which what other there more most".split())
SLOT_NOUN = "(?:[^ ]+ )+?"


def _slot(name: str, words: Iterable[str]) -> str:
    """One of `words`, the longest that fits."""
    return rf"(?P<{name}>{'|'.join(sorted(words, key=len, reverse=True))}) "


SLOTS = {
    "a": f"(?P<a>{SLOT_NOUN})",
    "b": f"(?P<b>{SLOT_NOUN})",
    # what is only filters: places, limits, and adjectives such as long and round
    "f": rf"(?P<f>(?:(?:and |, |or |both |very |quite |too )*(?:{FILTER}|{'|'.join(TRAITS)}) )+)",
    "rank": rf"(?P<f>(?:the )?(?:{'|'.join(RANKS)}) (?:(?:one|ones|of all|of them|of these) )?)",
    # alone a question; "it" and "that" are none
    "noun": rf"(?P<a>(?:[^ ]+ )*?(?:{NAME}|(?!(?:{'|'.join(sorted(_NO_NOUNS))}) )[^ ]{{3,}}) (?:[^ ]+ )*?)",
    "thing": f"{THING} ",
    "side": f"(?P<side>{FILTER} or {FILTER}) ",
    # "are all scratches longer than 2 mm" asks for more than whether there is one
    "some": f"(?P<a>(?!all |every |each |both |most |only ){SLOT_NOUN})",
    "big": _slot("dim", ADJECTIVES),
    "size": _slot("dim", NOUNS),
    "than": _slot("than", [*MORE, *LESS]),
    "largest": _slot("than", ("largest", "biggest", "longest", "greatest", "smallest", "shortest")),
    "more": _slot("than", ("more", "fewer", "less")),
    "most": _slot("than", ("most", "least", "fewest")),
    "either": f"(?P<a>{SLOT_NOUN}or {SLOT_NOUN})",
    "max": _slot("max", ("max", "maximum", "maximal", "min", "minimum", "minimal")),
    "most_of": _slot(
        "max", ("max", "maximum", "maximal", "min", "minimum", "minimal", "largest", "smallest", "greatest", "longest")
    ),
    "unit": rf"(?P<unit>{UNIT}) ",
    "known": "(?P<known>[a-z]{3,}) ",
}
