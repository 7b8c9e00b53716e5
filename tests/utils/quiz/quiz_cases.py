"""Pictures for the tests of the quiz: one worked out by hand, and random ones with ties and ignore regions."""

import numpy as np
from hypothesis import strategies as st

from tests.utils.glass_cases import record
from utils.quiz.made import make_questions
from utils.values.answer import Answer

NAMES = ("scratch", "LiveKnot", "hole", "oil_stain")

# 100 x 100 px. Scratches of 40 x 10 px in the upper left and of 20 x 10 px in the lower right, a hole of 24 x 20 px in
# the centre; no live knot, no oil stain.
PLATE = record([[10, 10, 50, 20], [60, 75, 80, 85], [40, 40, 64, 60]], [0, 0, 2])
GOOD = record([], [])

rows = st.tuples(
    st.integers(0, 90), st.integers(0, 90), st.integers(0, 40), st.integers(0, 40), st.integers(0, 3), st.booleans()
)


@st.composite
def records(draw):
    """Up to six boxes, some of them regions to ignore; of no class in particular too."""
    boxes, labels, crowd = [], [], []
    for x, y, width, height, label, ignored in draw(st.lists(rows, max_size=6)):
        boxes.append([x, y, min(x + width, 100), min(y + height, 100)])
        labels.append(-1 if ignored and label == 3 else label)
        crowd.append(ignored)
    return record(boxes, labels, np.array(crowd, bool))


def asked(of, seeds=400, mm_per_px=None, names=NAMES):
    """What is asked about a picture with many seeds, beside one that is good where it is bad: the item of each
    question.
    """
    both = [of, PLATE if of.crowd.all() else GOOD]
    made = (item for seed in range(seeds) for item in make_questions(both, names, seed, mm_per_px))
    items = [item for item in made if item.picture == 0]
    found = {item.question: item for item in items}
    assert all(found[item.question].expected == item.expected for item in items), "one question has one answer"
    return found


def said(item, answer=None):
    """The Answer that says `answer`, or what the item expects."""
    if answer is not None:
        return Answer(item.question, str(item.kind or ""), answer)
    refusal = "" if item.answerable else "no"
    return Answer(item.question, str(item.kind or ""), item.expected, item.number, item.unit, refusal=refusal)
