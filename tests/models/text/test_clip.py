"""CLIP through open_clip, on a tiny model with random weights: equal to open_clip's own, frozen, never online."""

import json
import urllib.request

import pytest
import torch
from safetensors.torch import save_file

from models.text.cache import VectorCache
from models.text.clip import ClipEncoder
from models.text.clip_weights import find_clip, import_open_clip
from models.text.encoder import flaw
from models.text.encoder_finder import find_encoder
from utils.words.errors import CheckpointError, ConfigError

TEXTS = ["crack", "oil stain", "裂纹", "Wood Live knot", "crack"]
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}


@pytest.fixture(scope="module")
def open_clip(tmp_path_factory):
    """open_clip knowing two more models, `tiny` and `tiny-quickgelu`."""
    library = import_open_clip()
    folder = tmp_path_factory.mktemp("configs")
    for name, config in {"tiny": TINY, "tiny-quickgelu": {**TINY, "quick_gelu": True}}.items():
        (folder / f"{name}.json").write_text(json.dumps(config))
    library.add_model_config(folder)
    yield library
    for name in ("tiny", "tiny-quickgelu"):
        library.factory._MODEL_CONFIGS.pop(name)
    library.factory._MODEL_CONFIG_PATHS.remove(folder)


@pytest.fixture(scope="module")
def weights(open_clip, tmp_path_factory):
    """A file of random weights of the tiny model, sharp enough that texts differ."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = open_clip.create_model("tiny")
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.data.normal_(0, 0.1)
    path = tmp_path_factory.mktemp("weights") / "tiny: one.pt"  # with the colon that separates the words of a spec
    torch.save(model.state_dict(), path)
    return path


def reference(open_clip, weights, model):
    with torch.random.fork_rng():
        whole = open_clip.create_model(model, pretrained=str(weights)).eval()
    with torch.no_grad():
        return whole.encode_text(open_clip.get_tokenizer(model)(TEXTS), normalize=True)


@pytest.mark.parametrize("model", ["tiny", "tiny-quickgelu"])
def test_vectors_are_open_clips(open_clip, weights, model):
    encoder = find_encoder(f"open_clip:{model}:{weights}")
    vectors = encoder.encode(TEXTS)
    assert encoder.dim == 16 and vectors.shape == (5, 16) and not flaw(vectors) and not vectors.requires_grad
    assert torch.allclose(vectors, reference(open_clip, weights, model), atol=1e-6)
    assert torch.allclose(vectors[0], vectors[4], atol=1e-6) and vectors[0] @ vectors[1] < 0.99
    assert encoder.encode([]).shape == (0, 16)


def test_the_activation_counts(weights, open_clip):
    plain, quick = (ClipEncoder(model, str(weights)) for model in ("tiny", "tiny-quickgelu"))
    assert (plain.encode(TEXTS) - quick.encode(TEXTS)).abs().max() > 1e-4
    assert plain.name != quick.name and ":quick-GELU:" in quick.name and ":GELU:" in plain.name


def test_batches_and_order_change_nothing(weights, open_clip, monkeypatch):
    encoder = ClipEncoder("tiny", str(weights))
    vectors = encoder.encode(TEXTS)
    monkeypatch.setattr("models.text.clip.BATCH", 2)
    order = [4, 2, 0, 3, 1]
    assert torch.allclose(encoder.encode([TEXTS[k] for k in order]), vectors[order], atol=1e-6)


def test_frozen_in_eval_and_without_a_vision_tower(weights, open_clip):
    encoder = ClipEncoder("tiny", str(weights))
    encoder.encode(["crack"])
    tower = encoder._tower
    assert not tower.training and not any(p.requires_grad for p in tower.parameters())
    assert not any(name.startswith("visual") for name in tower.state_dict())


def test_loading_draws_nothing_from_the_global_generator(weights, open_clip):
    before = torch.get_rng_state()
    ClipEncoder("tiny", str(weights)).encode(["crack"])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_warm_cache_does_not_even_load_the_model(weights, open_clip, tmp_path, monkeypatch):
    first = VectorCache(tmp_path).encode(ClipEncoder("tiny", str(weights)), TEXTS)
    monkeypatch.setattr("models.text.clip._load", lambda _: pytest.fail("loaded"))
    assert torch.equal(VectorCache(tmp_path).encode(ClipEncoder("tiny", str(weights)), TEXTS), first)


def test_other_weights_are_another_name_and_another_cache(weights, open_clip, tmp_path):
    state = torch.load(weights, weights_only=True)
    state["token_embedding.weight"] = state["token_embedding.weight"] + 0.1 * state["token_embedding.weight"].flip(0)
    other = tmp_path / "tiny.safetensors"
    save_file({key: value.contiguous() for key, value in state.items()}, other)
    one, two = ClipEncoder("tiny", str(weights)), ClipEncoder("tiny", str(other))
    assert one.name != two.name
    cache = VectorCache(tmp_path / "cache")
    assert not torch.allclose(cache.encode(one, TEXTS), cache.encode(two, TEXTS), atol=1e-3)


def test_a_text_longer_than_the_context_is_said(weights, open_clip, said):
    encoder = ClipEncoder("tiny", str(weights))
    encoder.encode(["crack", "scratch " * 75])
    assert "1 text is as long as CLIP reads (77 tokens)" in said.text
    said.clear()
    encoder.encode(["crack", "scratch " * 74])
    assert "as long as" not in said.text


def test_a_tag_in_the_hubs_cache_is_found_with_its_activation(offline, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--timm--vit_base_patch32_clip_224.openai"
    file = repository / "snapshots" / "abc" / "open_clip_model.safetensors"
    file.parent.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    file.write_bytes(b"weights")
    found = find_clip("ViT-B-32", "openai")
    assert found.path == file and found.quick_gelu and found.dim == 512 and found.model == "ViT-B-32"
    assert find_clip("", "") == found
    encoder = find_encoder("open_clip")
    assert encoder.name.startswith("open_clip:ViT-B-32:quick-GELU:7-") and encoder.dim == 512


def test_weights_behind_a_link_keep_their_ending(weights, open_clip, tmp_path):
    """The hub's cache links names to blobs without an ending, and open_clip tells formats apart by the ending."""
    blob, link = tmp_path / "6df5646f", tmp_path / "open_clip_model.safetensors"
    save_file(torch.load(weights, weights_only=True), blob)
    link.symlink_to(blob)
    assert torch.equal(ClipEncoder("tiny", str(link)).encode(TEXTS), ClipEncoder("tiny", str(weights)).encode(TEXTS))


def test_the_guard_of_these_tests_sees_an_attempt(offline):
    with pytest.raises(OSError, match="no network"):
        urllib.request.urlopen("http://localhost:9")
    assert offline
    offline.clear()


def test_a_tag_that_is_not_there_names_the_command(offline):
    with pytest.raises(CheckpointError) as caught:
        find_encoder("open_clip:ViT-B-32:openai")
    message = str(caught.value)
    assert "nothing downloads by itself" in message and "\n" not in message
    assert "hf download timm/vit_base_patch32_clip_224.openai" in message and "open_clip:ViT-B-32:FILE" in message
    with pytest.raises(CheckpointError, match="hf download laion/CLIP-ViT-B-32-laion2B-s34B-b79K"):
        find_encoder("open_clip::laion2b_s34b_b79k")


@pytest.mark.parametrize(
    ("spec", "error", "words"),
    [
        ("open_clip:ViT-B-33:openai", ConfigError, "no such model; did you mean 'ViT-B-32'"),
        ("open_clip:hf-hub:org/model", ConfigError, "no such model"),
        ("open_clip:xlm-roberta-base-ViT-B-32:laion5b_s13b_b90k", ConfigError, "own tokenizer"),
        ("open_clip:ViT-B-16-SigLIP:webli", ConfigError, "own tokenizer"),
        ("open_clip:coca_ViT-B-32:laion2b_s13b_b90k", ConfigError, "own tokenizer"),
        ("open_clip:ViT-B-32:openaii", CheckpointError, "neither a tag nor a file; did you mean 'openai'"),
        ("open_clip:ViT-B/32:/no/such.pt", CheckpointError, "/no/such.pt: no such file"),
        ("open_clip:ViT-B-32-256", CheckpointError, "no tag openai; its tags: datacomp_s34b_b86k"),
    ],
)
def test_what_does_not_exist(offline, spec, error, words):
    with pytest.raises(error, match=words) as caught:
        find_encoder(spec)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["noise", "list", "empty", "other", "program"])
def test_files_that_are_not_its_weights(open_clip, tmp_path, content):
    path = tmp_path / "w.pt"
    if content == "noise":
        path.write_bytes(b"nothing like weights")
    else:
        kinds = {"list": [1], "empty": {}, "other": {"weight": torch.zeros(2)}, "program": {"run": print}}
        torch.save(kinds[content], path)
    encoder = ClipEncoder("tiny", str(path))
    with pytest.raises(CheckpointError, match="w.pt: not the weights of open_clip's tiny") as caught:
        encoder.encode(["crack"])
    assert "\n" not in str(caught.value)


def test_weights_that_give_nonsense(open_clip, weights, tmp_path):
    state = torch.load(weights, weights_only=True)
    state["text_projection"].fill_(float("nan"))
    path = tmp_path / "nan.pt"
    torch.save(state, path)
    with pytest.raises(CheckpointError, match="weights are damaged"):
        VectorCache(tmp_path).encode(ClipEncoder("tiny", str(path)), TEXTS)


def test_numpy_weights_are_refused(tmp_path, open_clip):
    (tmp_path / "w.npz").touch()
    with pytest.raises(CheckpointError, match="NumPy"):
        ClipEncoder("tiny", str(tmp_path / "w.npz"))
