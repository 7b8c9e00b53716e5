"""What is known of an encoder from its word alone: the language it reads, and whether a glossary describes names."""

import pytest

from models.text.encoder_finder import reads_english_only, takes_descriptions


@pytest.mark.parametrize(
    "spec, english, described",
    [
        ("open_clip", True, True),
        ("open_clip:ViT-B-32:openai", True, True),
        ("minilm", True, True),
        ("ngram:64", True, False),
        ("vectors:names.safetensors", False, False),
        ("length", False, False),
    ],
)
def test_what_is_assumed(spec, english, described):
    assert reads_english_only(spec) is english and takes_descriptions(spec) is described
