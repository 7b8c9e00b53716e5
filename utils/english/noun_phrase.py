"""English noun phrases: `the largest of the long thin scratches on the left` -> what is looked for, and its filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from utils.english.things import MATERIALS, PICTURES
from utils.questions.known_names import KnownNames
from utils.questions.marks import Marks
from utils.questions.question import Measure, Rank, Subject, Trait
from utils.questions.subjects import ANY, Piece, Reading, combine
from utils.words.spelling import word_key

TRAITS = {
    **dict.fromkeys(("tiny", "microscopic", "minute", "minuscule"), Trait.TINY),
    **dict.fromkeys(("small", "little", "smallish"), Trait.SMALL),
    **dict.fromkeys(("medium", "mid sized", "middle sized"), Trait.MEDIUM),
    **dict.fromkeys(("large", "big", "huge", "giant", "enormous", "largish"), Trait.LARGE),
    **dict.fromkeys(("long", "thin", "narrow", "elongated", "slim", "elongate", "slender", "lengthy"), Trait.ELONGATED),
    **dict.fromkeys(("round", "circular", "roundish", "rounded"), Trait.ROUND),
}
RANKS = {
    **dict.fromkeys(("largest", "biggest", "greatest"), Rank(Measure.AREA)),
    **dict.fromkeys(("smallest", "tiniest", "littlest"), Rank(Measure.AREA, False)),
    **dict.fromkeys(("longest",), Rank(Measure.LENGTH)),
    **dict.fromkeys(("shortest",), Rank(Measure.LENGTH, False)),
    **dict.fromkeys(("widest", "thickest", "broadest"), Rank(Measure.WIDTH)),
    **dict.fromkeys(("thinnest", "narrowest"), Rank(Measure.WIDTH, False)),
    **dict.fromkeys(("tallest",), Rank(Measure.HEIGHT)),
    **dict.fromkeys(("leftmost",), Rank(Measure.LEFT, False)),
    **dict.fromkeys(("rightmost",), Rank(Measure.LEFT)),
    **dict.fromkeys(("topmost", "uppermost", "highest"), Rank(Measure.TOP, False)),
    **dict.fromkeys(("lowest", "bottommost", "lowermost"), Rank(Measure.TOP)),
    **dict.fromkeys(("clearest", "surest", "likeliest"), Rank(Measure.SCORE)),
}
GENERIC = frozenset(
    "defect fault flaw anomaly damage imperfection blemish anything something problem issue abnormality irregularity "
    "deficiency nonconformity thing everything detection finding failure".split()
)
_SUFFIXES = GENERIC - {"damage", "failure", "thing", "anything", "something", "everything"}
_BAD = frozenset(
    "wrong unusual suspicious strange odd bad defective faulty damaged abnormal anomalous irregular noticeable".split()
)
_SPOTS = frozenset("area region spot place part location zone point position patch site".split())
PRONOUNS = frozenset("it they them this that these those one ones he she its".split())
_SURE = frozenset("certain confident likely probable sure reliable".split())
_ARTICLES = frozenset("a an another either both".split())
DETERMINERS = _ARTICLES | frozenset(
    "the any some all every each this that these those my our your its their such single individual of "
    "various different respective following several multiple many real true actual possible potential "
    "existing remaining certain given apparent single typical visual separate distinct".split()
)
_STANDING_ALONE = frozenset("any all some these those this that each".split())
_FILLING = frozenset(
    "visible present detected found shown seen identified there existing recognisable recognizable "
    "detectable noticeable apparent detect located very quite rather really too fairly sized size shaped "
    "being , etc".split()
)
_IDLE = (_FILLING | DETERMINERS) - _STANDING_ALONE
_PARTITIVES = frozenset(
    "kind type sort class sign trace evidence instance piece occurrence group case indication hint form amount lot "
    "presence example category".split()
)
_RELATIVE = frozenset(("that", "which"))
# What is in no name of a thing to be seen: a phrase with one of these is a sentence, or means something else.
STOP = frozenset(
    "shows showing contain contains include includes exhibit exhibits extend extends reach reaches cover covers occupy "
    "why who whom whose when how what which where because will would did does do done is are was were be "
    "been has have had having can could should shall may might must not no nor none never nothing nobody if "
    "whether you i we he she they me us your but than as so while since until during before after except "
    "without other others else besides only over under near along close next between around behind beside "
    "beneath above below at by about more most less least fewer many much few two three four five six seven "
    "eight nine ten zero second twice same make made makes locates concentrated closer nearer lie lies lying "
    "cause causes caused causing repair fix fixed avoid prevent remove removed happen happened happens comes "
    "come came go goes went get gets got need needs works work think know want like new old dangerous "
    "important acceptable allowed severe serious critical normal good ok ng left right top bottom upper "
    "lower side corners borders edges hello hi yes true false thanks please tell say show give see worst "
    "best latest newest oldest reject accept pass fail real sure to for per become became well yourself "
    "myself itself longer larger bigger smaller shorter wider thinner deeper higher today tomorrow yesterday "
    "free covered affected outside beyond apart aside excluding excepting percent non first third fourth fifth "
    "last".split()
)
# What may describe a thing, but is none that a detector finds.
_NO_HEADS = frozenset(
    "reason colour color price cost name temperature time weight meaning person people operator man woman "
    "depth age distance number average sum count corner border edge weather sense love supplier machine "
    "process shift law risk danger warranty customer standard rule size length width height diameter "
    "location position severity grade verdict shape form look measurement dimension percentage share "
    "fraction coverage result answer question date year description summary list overview speed angle "
    "direction orientation pressure strength quality lot version model brand type class kind category "
    "camera idea suggestion opinion advice pixel resolution data".split()
)
_BE = frozenset(("is", "are", "was", "were"))
_AFTER = _FILLING | _RELATIVE | _BE | {"of", "the", "ones", "one"}
_PREPOSITIONS = frozenset("with in of on from and into".split())
_MOST_WORDS = 6


class EnglishNouns:
    """Reads noun phrases of one sentence, whose `marks` stand for what is known."""

    def __init__(self, marks: Marks, names: KnownNames) -> None:
        self.marks, self.names = marks, names

    def subjects(self, words: str, before: Subject, one: bool = False) -> tuple[Subject, ...] | None:
        """What `words` look for; see `combine`. None: they are no noun phrase."""
        pieces = []
        for joined, chunk in _conjuncts(words.split()):
            piece = self._piece(chunk)
            if piece is None:
                return None
            pieces.append(replace(piece, joined=joined))
        return combine(pieces, before, one) if pieces else None

    def _piece(self, tokens: list[str]) -> Piece | None:
        """One noun with what stands at it."""
        if all(token in _IDLE for token in tokens):
            return None
        reading = Reading()
        tokens = self._after_adjectives(tokens, reading)
        if not self._ends_with_filters(tokens):
            return None
        tokens = self._without_filters(tokens, reading)
        while tokens and (tokens[-1] in _FILLING or _ends_relative(tokens)):
            tokens = tokens[:-1]
        if len(tokens) > 1 and tokens[-1] in TRAITS and _ends_relative(tokens[:-1]):  # scratches that are long
            reading.traits.append(TRAITS[tokens[-1]])
            tokens = tokens[:-1]
            while tokens and _ends_relative(tokens):
                tokens = tokens[:-1]
        return self._piece_of(tokens, reading)

    def _after_adjectives(self, tokens: list[str], reading: Reading) -> list[str]:
        """The tokens from the noun on; what stands before it goes to `reading`."""
        while tokens and not self._is_name(tokens):
            first, rest = tokens[0], tokens[1:]
            found = self.marks.filter(first)
            if found is not None:
                reading.limits += found.limits
                reading.places += [found.place] if found.place else []
            elif first in RANKS:
                reading.ranks.append(RANKS[first])
            elif first == "most" and rest and rest[0] in _SURE:
                reading.ranks.append(Rank(Measure.SCORE))
                rest = rest[1:]
            elif first in TRAITS:
                reading.traits.append(TRAITS[first])
            elif first in DETERMINERS:
                reading.own |= first in _ARTICLES
            elif rest and rest[0] == "of" and word_key(first) in _PARTITIVES:
                rest = rest[1:]
            elif first in _RELATIVE:
                rest = rest[1:] if rest and rest[0] in _BE else rest
            elif first not in _FILLING:
                break
            tokens = rest
        return tokens

    def _is_name(self, tokens: Sequence[str]) -> bool:
        """A class may be called `round` or `small`."""
        words = [word for word in tokens if self.marks.filter(word) is None]
        return words == list(tokens[:1]) and self.names.find(words[0]) is not None

    def _ends_with_filters(self, tokens: Sequence[str]) -> bool:
        """Whether no noun follows a filter: a crack left of a hole is not understood."""
        first = next((i for i, token in enumerate(tokens) if self.marks.filter(token)), len(tokens))
        rest = [token for token in tokens[first:] if not self.marks.filter(token) and not self.marks.thing(token)]
        return all(token in _AFTER or token in TRAITS or token in RANKS for token in rest)

    def _without_filters(self, tokens: list[str], reading: Reading) -> list[str]:
        """What is left of the noun when the filters behind it, and `of the part`, are taken off."""
        left: list[str] = []
        for token in tokens:
            found = self.marks.filter(token)
            if found is not None:
                reading.later_limits += found.limits
                reading.later_places += [found.place] if found.place else []
            elif token in RANKS and left:
                reading.ranks.append(RANKS[token])
            elif self.marks.thing(token) is not None and len(left) > 1 and left[-1] == "of":
                left.pop()
            else:
                left.append(token)
        return left

    def _piece_of(self, tokens: list[str], reading: Reading) -> Piece | None:
        if len(reading.ranks) > 1:
            return None
        end = next((i for i, token in enumerate(tokens) if token in _PREPOSITIONS), len(tokens)) - 1
        traits = [TRAITS[token] for token in tokens[: max(end, 0)] if token in TRAITS]
        tokens = [token for i, token in enumerate(tokens) if i >= end or token not in TRAITS]
        pronoun = bool(tokens) and all(token in PRONOUNS for token in tokens)
        phrase = None if pronoun or not tokens else self._phrase(tokens)
        if tokens and not pronoun and phrase is None:
            return None
        reading.traits += traits
        return reading.piece(phrase, pronoun)

    def _phrase(self, tokens: list[str]) -> str | None:
        """The name, or the user's words; ANY for any defect; None for what no thing is called."""
        name = self.marks.name(tokens[0]) if len(tokens) == 1 else None
        if name is not None:
            return name.name
        written = [self._written(token) for token in tokens]
        keys = [word_key(word) for word in written]
        if _is_any(written, keys):
            return ANY
        found = self.names.find(" ".join(written)) or self.names.find(
            " ".join(w for w in written if w not in _ARTICLES)
        )
        if found is not None:
            return found
        if len(tokens) > 1 and keys[-1] in _SUFFIXES:
            return self._phrase(tokens[:-1])
        if len(tokens) > 1 and keys[-1] in GENERIC and self.names.find(" ".join(written[:-1])) is not None:
            return self._phrase(tokens[:-1])
        return " ".join(written).lower() if self._is_thing(tokens, keys) else None

    def _written(self, token: str) -> str:
        name = self.marks.name(token)
        return name.written if name is not None else self.marks.thing(token) or token

    def _is_thing(self, tokens: Sequence[str], keys: Sequence[str]) -> bool:
        """Whether somebody may call a thing so that can be seen in a picture."""
        words = [token for token in tokens if self.marks.name(token) is None]
        head = keys[next((i for i, token in enumerate(tokens) if token in _PREPOSITIONS and i), len(keys)) - 1]
        if len(tokens) > _MOST_WORDS or head in _NO_HEADS or keys[-1] in _NO_HEADS or keys[-1] in PICTURES:
            return False
        if any(word in _ARTICLES and tokens[i] not in _PREPOSITIONS for i, word in enumerate(tokens[1:])):
            return False  # this defect a crack
        return not any(word in STOP or word in PRONOUNS or word[0].isdigit() or word[0] in "<>%" for word in words)


def _is_any(written: Sequence[str], keys: Sequence[str]) -> bool:
    """Whether the words say no more than that there is a defect: `surface defects`, `anything unusual`, `bad spots`."""
    if all(word in _BAD for word in written[:-1]) and len(written) > 1 and keys[-1] in _SPOTS | GENERIC:
        return True
    if keys[0] in GENERIC:
        return all(word in _BAD or key in GENERIC for word, key in zip(written[1:], keys[1:], strict=True))
    return keys[-1] in GENERIC - {"damage"} and all(set(word.split(" ")) <= MATERIALS for word in written[:-1])


def _ends_relative(tokens: Sequence[str]) -> bool:
    """Whether they end in `that are` or `which`, of which nothing follows that was not understood before."""
    return tokens[-1] in _RELATIVE or (len(tokens) > 1 and tokens[-1] in _BE and tokens[-2] in _RELATIVE)


def _conjuncts(tokens: Sequence[str]) -> list[tuple[str, list[str]]]:
    """`a , b or c` -> ("and", [a]), ("or", [b]), ("or", [c]): a comma is what the next joining word is."""
    chunks: list[tuple[str, list[str]]] = [("and", [])]
    for token in tokens:
        if token not in ("and", "or", ","):
            chunks[-1][1].append(token)
        elif chunks[-1][1]:
            chunks.append((token, []))
        else:
            chunks[-1] = (token if token != "," else chunks[-1][0], [])
    following = "and"
    for i, (joined, chunk) in reversed(list(enumerate(chunks))):
        following = joined if joined != "," else following
        chunks[i] = (following, chunk)
    return [(joined, chunk) for joined, chunk in chunks if chunk]
