"""English questions that compare two kinds of defects, or all of them. See `phrasing` for the signs."""

from __future__ import annotations

from utils.questions.phrasing import Rule
from utils.questions.question import Kind, Relation

_DIFFERENCE = Rule(
    Kind.COMPARISON,
    (
        "how many {more} {a} than {b} [<exist>|<be>|<viewing>] [{f}]",
        "how many {more} {a} (<exist>|<be>|<viewing>) than {b}",
        "by how (many|much) [<do>] {a} (outnumber|outnumbers) {b}",
        "by how (many|much) <do> the <number> of {a} exceed [the|that] [<number>] [of] {b}",
        "<whatis> difference (between|in|of) [the] <number> [of|between] {a} and [the] [number of] {b}",
    ),
    difference=True,
)
_EQUAL = Rule(
    Kind.COMPARISON,
    (
        "[<isthere>|<viewing>] [exactly|just] as many {a} as [there are] {b} [{f}]",
        "[<isthere>|<viewing>] (equally many|[exactly] [the] same <number> of|an equal <number> of|equal <number> of) "
        "{a} (and|as) {b} [{f}]",
        "<be> [the] <number> of {a} (equal to|the same as|equal|identical to|as (high|large|big) as) [the|that] "
        "[<number>] [of] {b}",
        "<be> {a} and {b} (equally <often>|equally many|equal in <number>|the same in <number>|the same <number>)",
        "<do> {a} and {b} (occur|appear) equally often",
        "<be> the <number> of {a} and [of] {b} (equal|the same|identical)",
        "<be> {a} as <often> as {b}",
    ),
    relation=Relation.EQUAL,
)
_MOST = Rule(
    Kind.COMPARISON,
    (
        "(<whatis>|which <be> [the]) {most} <often> <gen> [<kind>] [{f}]",
        "(which|what) (<gens>|one) [<kind>] (<be>|<do>|occurs|appears|occur|appear|<be> <seen>) [the] {most} "
        "[<often>|frequently] [one|ones] [{f}]",
        "(which|what) (<gens>|one) [<kind>] <exist> [the] {most} of [{f}]",
        "(which|what) (<gens>|one) [<kind>] <viewing> [the] {most} [often|of] [{f}]",
        "(which|what) (<gens>|one) [<kind>] has [the] {most} [instances|detections|occurrences|boxes|hits] [{f}]",
        "what <exist> [the] {most} [of] [{f}]",
        "what <do> <viewer> <see> [the] {most} [of] [{f}]",
    ),
    choose=True,
    every=True,
)
_DOMINANT = Rule(
    Kind.COMPARISON,
    (
        "(<whatis>|which <be> [the]) (dominant|predominant|prevailing|main|commonest) <gen> [<kind>] [{f}]",
        "(which|what) (<gens>|one) [<kind>] (dominates|prevails|predominates|<be> (dominant|predominant)) [{f}]",
    ),
    choose=True,
    every=True,
)
_RAREST = Rule(
    Kind.COMPARISON,
    (
        "(<whatis>|which <be> [the]) (rarest|scarcest) <gen> [<kind>] [{f}]",
        "(which|what) <gens> <be> (rarest|the rarest) [{f}]",
    ),
    relation=Relation.FEWER,
    choose=True,
    every=True,
)
_WHICH_IS_MORE = Rule(
    Kind.COMPARISON,
    (
        "(which|what) [<one>] <be> [the] {more} <often> [one] [,] {a} or {b}",
        "(which|what) [<one>] (occurs|appears|occur|appear) {more} [often|frequently] [,] {a} or {b}",
        "(which|what) [<one>] (<exist>|<viewing>) {more} [of] [,] {a} or {b} [{f}]",
        "(which|what) (outnumbers|outnumber) [the other] [,] {a} or {b}",
        "{a} or {b} [,] (which|what) [<one>] (<exist>|<be>|occurs|occur) {more} [of|<often>]",
        "(of|among|between) {a} (and|or) {b} [,] (which|what) [<one>] (<exist>|<be>|occurs|occur) {more} [of|<often>]",
        "<be> {a} or {b} {more} <often>",
        "<viewing> {more} {a} or [more|fewer] {b} [{f}]",
        "<isthere> {more} {a} or [more|fewer] {b} [{f}]",
        "[whether] {more} {a} or [more|fewer] {b}",
        "compare [the] [<number>|frequency] [of] {a} (and|with|to|against|or) [the] [<number> of] {b}",
    ),
    choose=True,
)
_WHICH_IS_LARGER = Rule(
    Kind.COMPARISON,
    (
        "(which|what|who) [<one>] <be> [the] {than} [one] [in (size|area|length)] [,] {a} or {b}",
        "(which|what|who) [<one>] <be> [the] {largest} [one] [,] {a} or {b}",
        "(which|what) [<one>] has [the] {than} (size|area|length) [,] {a} or {b}",
        "{a} or {b} [,] (which|what) [<one>] <be> [the] {than} [one]",
        "(of|among|between) {a} (and|or) {b} [,] (which|what) [<one>] <be> [the] {than} [one]",
        "<be> {a} or {b} [the] {than} [one]",
        "whether {a} or {b} <be> {than}",
        "compare [the] (size|sizes) of {a} (and|with|to|against|or) [the] [size of] {b}",
    ),
    relation=Relation.LARGER,
    choose=True,
)
_MORE = Rule(
    Kind.COMPARISON,
    (
        "<isthere> [any] {more} {a} than [there are] {b} [<exist>] [{f}]",
        "<viewing> {more} {a} than {b} [{f}]",
        "whether <viewed> {more} {a} than {b} [{f}]",
        "[whether] {more} {a} than {b} [{f}]",
        "<be> {a} {more} <often> than {b}",
        "whether {a} <be> {more} <often> than {b}",
        "(whether|<do>) {a} (occur|appear|occurs|appears) {more} [often|frequently] than {b}",
        "(whether|<do>) {a} (outnumber|outnumbers) {b}",
    ),
)
_NUMBERS = tuple(
    Rule(
        Kind.COMPARISON,
        (
            f"<be> [the] <number> of {{a}} {words} than [the|that] [<number>] [of] {{b}}",
            f"(<be>|whether) [the] {{a}} (count|number) [<be>] {words} than [the] {{b}} (count|number)",
            f"whether the <number> of {{a}} <be> {words} than [the|that] [<number>] [of] {{b}}",
        ),
        relation=relation,
    )
    for relation, words in (
        (Relation.MORE, "(larger|greater|higher|bigger|more)"),
        (Relation.FEWER, "(smaller|lower|less|fewer)"),
    )
)
_LARGER = Rule(
    Kind.COMPARISON,
    (
        "<be> {a} [any|much|a bit] {than} [in (size|area|length)] than {b}",
        "whether {a} <be> {than} than {b}",
        "<do> {a} have a {than} (size|area|length) than {b}",
        "<be> the size of {a} {than} than [the|that] [size] [of] {b}",
    ),
    relation=Relation.LARGER,
)
COMPARISONS = (
    _DIFFERENCE,
    _EQUAL,
    _MOST,
    _DOMINANT,
    _RAREST,
    _WHICH_IS_MORE,
    _WHICH_IS_LARGER,
    *_NUMBERS,
    _MORE,
    _LARGER,
)
