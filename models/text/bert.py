"""BERT's encoder from PyTorch's own layers: token numbers -> a vector for each token."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

EPSILON = 1e-12  # of BERT's LayerNorms
# PyTorch's names of what a layer holds, and those of a file of Hugging Face's transformers
LAYER = {
    "self_attn.out_proj": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "linear1": "intermediate.dense",
    "linear2": "output.dense",
    "norm2": "output.LayerNorm",
}
EMBEDDINGS = {"words": "word_embeddings", "places": "position_embeddings", "kinds": "token_type_embeddings"}


class Bert(nn.Module):
    """BERT without its pooler, frozen, in eval mode: Devlin and others, arXiv 1810.04805. One kind of token only."""

    def __init__(self, state: Mapping[str, Tensor], heads: int) -> None:
        """`state`: tensors under the names of Hugging Face's BertModel, which tell width and depth. Raises KeyError or
        RuntimeError for others.
        """
        super().__init__()
        rows, width = state["embeddings.word_embeddings.weight"].shape
        places, kinds = (len(state[f"embeddings.{EMBEDDINGS[name]}.weight"]) for name in ("places", "kinds"))
        inner = len(state["encoder.layer.0.intermediate.dense.bias"])
        depth = sum(name.endswith("intermediate.dense.bias") for name in state)
        with torch.device("meta"):  # nothing is drawn: the tensors of `state` take their places
            self.words, self.places = nn.Embedding(rows, width), nn.Embedding(places, width)
            self.kinds, self.norm = nn.Embedding(kinds, width), nn.LayerNorm(width, EPSILON)
            layer = nn.TransformerEncoderLayer(
                width, heads, inner, activation="gelu", layer_norm_eps=EPSILON, batch_first=True
            )
            self.layers = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.load_state_dict(_renamed(state, depth), assign=True)
        self.requires_grad_(False).eval()

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        """(B, T) token numbers, and (B, T) bool where a text has one -> (B, T, width) float32; elsewhere noise."""
        x = self.words(tokens) + self.places.weight[: tokens.shape[1]] + self.kinds.weight[0]
        encoded: Tensor = self.layers(self.norm(x), src_key_padding_mask=~there)
        return encoded


def _renamed(state: Mapping[str, Tensor], depth: int) -> dict[str, Tensor]:
    """The tensors of transformers' BertModel under the names of `Bert`, without the pooler's."""
    own = {f"{ours}.weight": state[f"embeddings.{theirs}.weight"] for ours, theirs in EMBEDDINGS.items()}
    for part in ("weight", "bias"):
        own[f"norm.{part}"] = state[f"embeddings.LayerNorm.{part}"]
        for number in range(depth):
            ours, theirs = f"layers.layers.{number}", f"encoder.layer.{number}"
            three = [state[f"{theirs}.attention.self.{name}.{part}"] for name in ("query", "key", "value")]
            own[f"{ours}.self_attn.in_proj_{part}"] = torch.cat(three)
            own |= {f"{ours}.{one}.{part}": state[f"{theirs}.{other}.{part}"] for one, other in LAYER.items()}
    return own
