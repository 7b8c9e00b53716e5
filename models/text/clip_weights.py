"""Which open_clip model and which file of weights a user means, found without the network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from models.rows.torchvision_compat import prepare_torchvision
from utils.words.errors import CheckpointError, ConfigError, printable
from utils.words.text import did_you_mean

DEFAULT_MODEL = "ViT-B-32"
DEFAULT_TAG = "openai"
QUICK = "-quickgelu"  # open_clip's ending of models whose activation is x sigmoid(1.702 x)


@dataclass(frozen=True)
class ClipWeights:
    """A model of open_clip (without the ending -quickgelu), its activation, and the file of its weights.

    `label` is how the weights were named, for logs.
    """

    model: str
    quick_gelu: bool
    path: Path
    dim: int
    label: str

    @property
    def activation(self) -> str:
        """Which GELU, in words."""
        return "quick-GELU" if self.quick_gelu else "GELU"


def import_open_clip() -> ModuleType:
    """open_clip, imported when it is needed: it takes seconds. Raises ConfigError when it is not installed."""
    try:
        prepare_torchvision()
        import open_clip
    except ImportError as error:
        raise ConfigError(f"open_clip cannot be imported ({error}); pip install -r requirements.txt") from error
    return open_clip


def find_clip(model: str, weights: str) -> ClipWeights:
    """`ViT-B-32`, `openai` or a file -> what to load; a tag's file is looked up in the local caches only.

    Raises ConfigError for a model or tag that does not exist, CheckpointError for weights that are not there.
    """
    open_clip = import_open_clip()
    model = (model or DEFAULT_MODEL).replace("/", "-")  # ViT-B/32, as CLIP's authors write it
    config = _model_config(open_clip, model)
    base = model.removesuffix(QUICK)
    tag = open_clip.get_pretrained_cfg(model, weights or DEFAULT_TAG)
    if tag:
        weights = weights or DEFAULT_TAG
        # a tag says which activation its weights were trained with; for a file, below, the model's name has to
        quick = bool(tag.get("quick_gelu", False))
        return ClipWeights(base, quick, _cached(tag, model, weights), config["embed_dim"], f"{base}:{weights}")
    path = Path(os.path.expanduser(weights))
    if not weights or not os.path.isfile(path):  # False, not an error, for names that no file can have
        raise _no_weights(open_clip, model, weights)
    if path.suffix in (".npy", ".npz"):
        raise CheckpointError(f"{path}: NumPy weights are not read; give open_clip's .safetensors or .pt")
    return ClipWeights(base, bool(config.get("quick_gelu", False)), path, config["embed_dim"], f"{base}:{path.name}")


def _no_weights(open_clip: ModuleType, model: str, weights: str) -> CheckpointError:
    tags = open_clip.list_pretrained_tags_by_model(model)
    if not weights:
        what = f"has no tag {DEFAULT_TAG}; its tags: {', '.join(tags) or 'none'}"
    elif Path(weights).suffix or Path(weights).name != weights:
        what = f"{printable(weights)}: no such file"
    else:
        what = f"'{printable(weights)}' is neither a tag nor a file{did_you_mean(weights, tags)}"
    return CheckpointError(f"open_clip:{model}: {what}; give a file: open_clip:{model}:FILE")


def _model_config(open_clip: ModuleType, model: str) -> dict[str, Any]:
    """Its configuration, if it is a CLIP whose tokenizer comes with open_clip. Raises ConfigError."""
    if model not in open_clip.list_models():  # asking for others (hf-hub:) would use the network
        near = did_you_mean(model, open_clip.list_models())
        raise ConfigError(f"open_clip:{printable(model)}: open_clip has no such model{near}")
    config: dict[str, Any] = open_clip.get_model_config(model)
    text = config["text_cfg"]
    foreign = {"hf_model_name", "hf_tokenizer_name"} & set(text) or "multimodal_cfg" in config
    if foreign or "siglip" in model.lower():
        raise ConfigError(f"open_clip:{model}: only CLIP models with open_clip's own tokenizer are read, like ViT-B-32")
    return config


def _cached(tag: dict[str, Any], model: str, weights: str) -> Path:
    """The file of a tag in the caches of the Hugging Face hub or of CLIP. Raises CheckpointError with the command."""
    from huggingface_hub import try_to_load_from_cache  # reads folders only

    repository, _, name = tag.get("hf_hub", "").rpartition("/")
    names = [name] if name else ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    for candidate in names if repository else ():
        found = try_to_load_from_cache(repository, candidate)
        if isinstance(found, str):  # otherwise None, or a marker that the repository is known to lack the file
            return Path(found)
    url = tag.get("url", "")
    old = Path("~/.cache/clip").expanduser() / url.rpartition("/")[2]
    if url and "openaipublic" not in url and old.is_file():  # OpenAI's own files are programs (TorchScript): refused
        return old
    wanted = name or "--include 'open_clip_*'"
    get = f"hf download {repository} {wanted}" if repository else f"a download of {url}"
    raise CheckpointError(
        f"open_clip:{model}:{weights}: its weights are not on this machine, and nothing downloads by itself; "
        f"get them with: {get}, or give a file: open_clip:{model}:FILE"
    )
