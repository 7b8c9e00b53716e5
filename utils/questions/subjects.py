"""Nouns with what stands at them, as a question lists them, put together to the subjects of questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from utils.questions.question import Limit, Place, Rank, Subject, Trait

T = TypeVar("T")
_SIZES = (Trait.SMALL, Trait.MEDIUM, Trait.LARGE)
_EXCLUSIVE = (frozenset(_SIZES), frozenset((Trait.TINY, *_SIZES[1:])), frozenset((Trait.ELONGATED, Trait.ROUND)))
ANY = ""  # the phrase of "defect", which means all of them


@dataclass(frozen=True)
class Piece:
    """One noun of a list: `phrase` (None: there is none, as of "the largest" or "in the left half"), joined to the one
    before it by `joined`: and, or.

    `limits`, `places`, `traits` and `rank` stand before the noun, `later_limits` and `later_places` behind it. `own`:
    it has an article, so that it shares nothing of what stands before its neighbour. `pronoun`: it stands for what was
    spoken of before.
    """

    phrase: str | None = None
    limits: tuple[Limit, ...] = ()
    places: tuple[Place, ...] = ()
    traits: tuple[Trait, ...] = ()
    rank: Rank | None = None
    later_limits: tuple[Limit, ...] = ()
    later_places: tuple[Place, ...] = ()
    own: bool = False
    pronoun: bool = False
    joined: str = "and"

    @property
    def filtered_before(self) -> bool:
        """Whether anything stands before the noun."""
        return bool(self.limits or self.places or self.traits or self.rank)

    @property
    def headless(self) -> bool:
        """Whether it only says more of a neighbour."""
        return self.phrase is None and not self.pronoun


@dataclass
class Reading:
    """What was taken off one noun so far; see `Piece`."""

    limits: list[Limit] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    traits: list[Trait] = field(default_factory=list)
    ranks: list[Rank] = field(default_factory=list)
    later_limits: list[Limit] = field(default_factory=list)
    later_places: list[Place] = field(default_factory=list)
    own: bool = False

    def piece(self, phrase: str | None, pronoun: bool) -> Piece:
        """The noun, `phrase`, with all of it; there is one rank at most."""
        return Piece(
            phrase,
            tuple(self.limits),
            tuple(self.places),
            tuple(self.traits),
            self.ranks[0] if self.ranks else None,
            tuple(self.later_limits),
            tuple(self.later_places),
            self.own,
            pronoun,
        )


def combine(pieces: Sequence[Piece], before: Subject, one: bool = False) -> tuple[Subject, ...] | None:
    """A subject for each noun joined by "and" (`one`: one for all of them), nouns joined by "or" in one subject.

    `before` is what a pronoun stands for. None where one subject cannot say it: a long crack or a round hole.
    """
    merged = _with_heads(pieces)
    if merged is None:
        return None
    groups: list[list[Piece]] = []
    for piece in _shared(merged):
        if groups and (one or piece.joined == "or"):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    subjects = [_subject(group, before) for group in groups]
    return None if None in subjects else tuple(dict.fromkeys(subject for subject in subjects if subject))


def _with_heads(pieces: Sequence[Piece]) -> list[Piece] | None:
    """The pieces that have a noun, each of the others added to its neighbour, or given its noun."""
    first = next((i for i, piece in enumerate(pieces) if not piece.headless), None)
    if first is None:
        heads: list[Piece] | None = [replace(pieces[0], pronoun=True)]
        rest = pieces[1:]
    else:
        heads, rest = _with_adjectives(pieces[first], pieces[:first]), pieces[first + 1 :]
    for piece in rest:
        if heads is None:
            return None
        if not piece.headless:
            heads.append(piece)
            continue
        joined = _joined_to(heads.pop(), piece)
        heads = None if joined is None else heads + joined
    return heads


def _with_adjectives(head: Piece, adjectives: Sequence[Piece]) -> list[Piece] | None:
    """`long and thin scratch`, or `the largest and the smallest hole`, which are two."""
    if adjectives and "or" in (head.joined, *(piece.joined for piece in adjectives)):
        return None
    others = [replace(piece, phrase=head.phrase, pronoun=head.pronoun) for piece in adjectives if piece.rank]
    limits = tuple(limit for piece in adjectives if not piece.rank for limit in piece.limits)
    places = tuple(place for piece in adjectives if not piece.rank for place in piece.places)
    traits = tuple(trait for piece in adjectives if not piece.rank for trait in piece.traits)
    head = replace(head, limits=limits + head.limits, places=places + head.places, traits=traits + head.traits)
    return [*others, head]


def _joined_to(head: Piece, piece: Piece) -> list[Piece] | None:
    """`head` that also passes what `piece` says; or, of a second place or rank, both of them."""
    if piece.joined == "or":
        return None
    places, later = piece.places + piece.later_places, head.places + head.later_places
    if (places and later) or (piece.rank and head.rank):
        other = replace(piece, phrase=head.phrase, pronoun=head.pronoun, own=True)
        return [head, replace(other, limits=piece.limits or head.limits, traits=piece.traits or head.traits)]
    return [_added(head, piece)]


def _added(head: Piece, piece: Piece) -> Piece:
    return replace(
        head,
        later_limits=head.later_limits + piece.limits + piece.later_limits,
        later_places=head.later_places + piece.places + piece.later_places,
        traits=head.traits + piece.traits,
        rank=head.rank or piece.rank,
    )


def _shared(pieces: list[Piece]) -> list[Piece]:
    """What stands before the first noun of a list, or behind its last, said of all that have nothing of their own."""
    first, last = pieces[0], pieces[-1]
    shared = [first]
    for piece in pieces[1:]:
        if not piece.own and not piece.filtered_before:
            piece = replace(piece, limits=first.limits, places=first.places, traits=first.traits, rank=first.rank)
        shared.append(piece)
    for i, piece in enumerate(shared[:-1]):
        if not piece.later_limits and not piece.later_places:
            shared[i] = replace(piece, later_limits=last.later_limits, later_places=last.later_places)
    return shared


def _subject(group: Sequence[Piece], before: Subject) -> Subject | None:
    filters = {_filters(piece) for piece in group}
    if len(filters) > 1:
        return None
    subject = filters.pop()
    if any(piece.pronoun for piece in group):
        if len(group) > 1:
            return None
        return Subject(
            before.phrases,
            _kept(before.limits, subject.limits, _apart) + subject.limits,
            _kept(before.places, subject.places, _beside) + subject.places,
            _kept(before.traits, subject.traits, _unlike) + subject.traits,
            subject.rank or before.rank,
        )
    phrases = tuple(dict.fromkeys(piece.phrase for piece in group if piece.phrase is not None))
    return replace(subject, phrases=() if ANY in phrases else phrases)


def _kept(before: tuple[T, ...], own: tuple[T, ...], against: Callable[[T, T], bool]) -> tuple[T, ...]:
    """What was spoken of before, as far as it can be said together with what is said now: who asks how many there are
    on the left, and how many on the right, asks for none that are on both sides.
    """
    return tuple(one for one in before if not any(against(one, other) for other in own))


def _apart(one: Limit, other: Limit) -> bool:
    """Whether nothing passes both limits."""
    low, high = (one, other) if one.sign[0] == ">" else (other, one)
    if (one.measure, one.unit) != (other.measure, other.unit) or low.sign[0] == high.sign[0]:
        return False
    return low.value > high.value or (low.value == high.value and not (low.sign == ">=" and high.sign == "<="))


def _beside(one: Place, other: Place) -> bool:
    """Whether no point lies in both places."""
    (left, top, right, bottom), (left2, top2, right2, bottom2) = one.box, other.box
    return max(left, left2) >= min(right, right2) or max(top, top2) >= min(bottom, bottom2)


def _unlike(one: Trait, other: Trait) -> bool:
    """Whether nothing is both."""
    return one is not other and any({one, other} <= kinds for kinds in _EXCLUSIVE)


def _filters(piece: Piece) -> Subject:
    return Subject(
        limits=tuple(dict.fromkeys(piece.limits + piece.later_limits)),
        places=tuple(dict.fromkeys(piece.places + piece.later_places)),
        traits=tuple(dict.fromkeys(piece.traits)),
        rank=piece.rank,
    )
