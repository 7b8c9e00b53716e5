"""What is said of drawn defects: in each wording a text means one group of them, and the pictures show nothing else."""

import numpy as np
import pytest

from data.defects.primitives import PRIMITIVES
from data.surfaces.materials import MATERIALS
from data.world.mixes import HELD_KINDS, held_words, mix_of
from data.world.picture import draw_picture
from data.world.wordings import ANY, SPOKEN, TONES, classes_of, codes, wordings


@pytest.mark.parametrize("mix", SPOKEN)
def test_a_text_means_one_group_and_one_class(mix):
    for wording in wordings(mix):
        texts = [text for row in wording.texts for text in row]
        assert len(texts) == len(set(texts)) and all(wording.texts)
        assert set(wording.groups[wording.groups >= 0].tolist()) == set(range(len(wording.texts)))
    by_kind, *_, general = wordings(mix)
    assert set(by_kind.texts) == set(mix_of(mix).names)
    assert general.texts == (ANY,) and (general.groups == np.minimum(by_kind.groups, 0)).all()


def test_what_is_said_is_what_was_drawn():
    """A phrase names the kind, the material and the tone of its defect."""
    by_kind, by_tone, by_place, by_all, _ = wordings("kinds")
    seen = set()
    for number in range(60):
        picture = draw_picture(4, number, 128)
        for defect, code in zip(picture.defects, picture.codes().tolist(), strict=True):
            names = PRIMITIVES[defect.kind].names
            assert by_kind.texts[by_kind.groups[code]] == names
            assert mix_of("kinds").names[classes_of("kinds")[code]] == names
            for text in by_place.texts[by_place.groups[code]]:
                assert text.endswith(f" on {picture.material}") and text.startswith(names)
            for wording in (by_tone, by_all):
                for text in wording.texts[wording.groups[code]]:
                    tone = TONES[defect.brighter]
                    assert text.startswith(tone) or text.startswith(names), text
                    seen.add(text.split()[0])
    assert {"dark", "black", "bright", "light"} <= seen


def test_the_open_mix_says_nothing_of_what_it_holds_back():
    said = {text for one in wordings("open") for row in one.texts for text in row}
    assert not {text for kind in HELD_KINDS for text in said if text == kind or text.endswith(f" {kind}")}
    assert not said & held_words() and len(held_words()) == len(mix_of("open-words").names) == 30
    held = mix_of("open-combinations")
    for row, kind in np.argwhere(held.labels >= 0).tolist():
        assert f"{PRIMITIVES[kind].names[0]} on {tuple(MATERIALS)[row]}" not in said
        assert PRIMITIVES[kind].names[0] in said, "the kind is known, and so is the material"
    known = mix_of("open").chances.sum(1) > 0
    assert known.all() and len(said) > 5000


def test_codes_on_a_picture_of_which_nothing_is_known():
    (one, *_, everything, _) = wordings("backgrounds")
    kind = next(number for number, primitive in enumerate(PRIMITIVES) if not primitive.on)
    (code,) = codes([kind], "", [True]).tolist()
    assert one.texts[one.groups[code]] == PRIMITIVES[kind].names
    assert all(" on " not in text for text in everything.texts[everything.groups[code]])
