"""English questions for whether there is something. See `phrasing` for the signs."""

from __future__ import annotations

from utils.questions.phrasing import Only, Rule
from utils.questions.question import Kind

_ABSENT = Rule(
    Kind.PRESENCE,
    (
        "<isthere> (no|zero|none of) {a}",
        "whether there <be> not [any] {a}",
        "<viewing> no {a}",
        "whether <viewed> no {a}",
        "<isthere> nothing [wrong|unusual|suspicious|abnormal|<seen>] [with <thing>] [{f}]",
        "(<be> nothing|whether nothing [<be>]) [wrong|unusual|suspicious|abnormal|<seen>] [with <thing>] [{f}]",
        "<viewing> nothing [wrong] [{f}]",
        "(<isthing>|<be> we) [completely|totally|entirely|fully] (free|clear|devoid) (of|from) {a}",
        "<be> [the] {f} [completely|totally|entirely] (free|clear|devoid) (of|from) {a}",
        "<isthing> (without|not showing|lacking) {a}",
        "<isthing> [completely|totally|entirely|fully] {a} free",
        "whether (free|clear) (of|from) {a}",
        "whether {a} free [<thing>]",
        "<isthing> [completely|totally|entirely|fully] clean",
        "<be> no {a} <seen> [{f}]",
        "whether no {a} [<be>] [<seen>] [{f}]",
        "<be> {a} (absent|not <seen>) [{f}]",
        "whether {a} <be> (absent|not <seen>) [{f}]",
    ),
    negated=True,
)
_NOT_AS_ITS_NAME = Rule(
    Kind.PRESENCE,
    (
        "<isthing> not {known}",
        "<be> not <thing> {known}",
    ),
    negated=True,
)
_PRESENT = Rule(
    Kind.PRESENCE,
    (
        "<isthere> {a} with <thing>",
        "<isthere> {a}",
        "(could|can|might|may|should) there be {a}",
        "<do> <have> {a}",
        "<be> exist {a}",
        "whether [<viewer>] (see|have|has|having|got|detect|find) {a}",
        "see any {a}",
        "<be> <thing> (showing|having|displaying) {a}",
        "<be> <viewer> (seeing|finding|detecting|noticing) {a}",
        "<be> not there {a}",
        "<do> (<viewer> <see>|<thing> (<see>|<have>)) {a}",
        "((can|could) <viewer> <see>|have <viewer> <seen>|has <thing> [got]) {a}",
        "(do|does|can) not <viewer> <see> {a}",
        "<do> [the] {f} <have> {a}",
        "whether <viewed> {a}",
        "(can|could) {a} be <seen> [{f}]",
        "whether {a} can be <seen> [{f}]",
        "<be> {a} <seen> [{f}]",
        "<be> not {a} <seen> [{f}]",
        "whether {a} [<be>] <seen> [{f}]",
        "(have|has) {a} been <seen> [{f}]",
        "<do> {a} (exist|occur|appear|show up) [{f}]",
        "whether {a} (exist|exists|occur|occurs|appear|appears) [{f}]",
        "[whether] any {a} [with <thing>]",
        "whether some {a} [with <thing>]",
        "<be> (anything|something) (wrong|amiss|unusual|suspicious|abnormal|odd|strange|<seen>|defective|broken) "
        "[with <thing>] [{f}]",
        "whether (anything|something) [<be>] (wrong|amiss|unusual|suspicious|abnormal|odd|strange|<seen>) "
        "[with <thing>] [{f}]",
        "<isthing> [badly|heavily|slightly] (affected by|covered (with|by|in)|full of|marked by|suffering from) {a}",
        "[<be> there] [a|any] (sign|signs|trace|traces) of {a}",
        "(check|look|search|inspect|test|scan|examine) [<thing>|{f}] for [the presence of] {a}",
        "[<whatis>] presence of {a}",
        "<whatis> {a} presence",
    ),
)
_AS_ITS_NAME = Rule(
    Kind.PRESENCE,
    (
        "<isthing> [badly|heavily|slightly] {known} [{f}]",
        "<do> <thing> <look> {known}",
        "has <thing> been {known}",
        "whether {known} <thing>",
    ),
)
_SHOWING = Rule(
    Kind.PRESENCE,
    (
        "<be> {some} {f}",
        "whether {some} <be> {f}",
        "<be> any of {a} {f}",
        "<be> (all|each|every) [of] {a} {f}",
    ),
    only=Only.FILTERED,
)
_NAMED = Rule(
    Kind.PRESENCE,
    (
        "<do> <viewer> <have> {a}",
        "<be> (the <gen>|this <gen>|it|this|that|these) {noun}",
        "whether (the <gen>|this <gen>|it|this|that|these) <be> {noun}",
        "whether {noun}",
    ),
    only=Only.COMMON,
)
PRESENCES = (_ABSENT, _NOT_AS_ITS_NAME, _AS_ITS_NAME, _PRESENT, _SHOWING, _NAMED)
