"""Text and visual prompts inform each other, and guide the neck together (spec: RTVPNet 2.7)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_max_pool2d, normalize, scaled_dot_product_attention

from models.rows.folding import Constants
from models.rows.registry import Ins, TextDim, register
from models.rows.row_context import Context
from models.rows.text_reader import TextReader

HEAD_WIDTH = 32
POOLED = 3  # each map is pooled to POOLED x POOLED tokens
BYPASS = 0.5  # share of the training batches without visual guides


class CrossAttention(nn.Module):
    """Multi-head cross-attention, queries (B, Q, D) over keys (B, K, D), both normalised -> (B, Q, D). Heads of 32."""

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        if width < HEAD_WIDTH or width % HEAD_WIDTH:
            raise ValueError(f"width must be a multiple of {HEAD_WIDTH}, got {width}")
        self.heads = width // HEAD_WIDTH
        self.norm_asking, self.norm_asked = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query, self.value, self.out = nn.Linear(dim, width), nn.Linear(dim, width), nn.Linear(width, dim)
        self.key = nn.Linear(dim, width, bias=False)  # a bias would add the same to the score of every key

    def forward(self, queries: Tensor, keys: Tensor, valid: Tensor | None = None) -> Tensor:
        """`valid` (B, K) bool: which keys count, at least one of each picture."""
        queries, keys = self.norm_asking(queries), self.norm_asked(keys)
        tensors = (self.query(queries), self.key(keys), self.value(keys))
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in tensors)
        # one mask for all heads and queries
        mixed = scaled_dot_product_attention(q, k, v, None if valid is None else valid[:, None, None])
        return self.out(mixed.transpose(1, 2).flatten(2))


class GuideRow(TextReader):
    """What rows that make guides have in common: outputs (text, guides), which are the plain text in a static network
    and in half of the training batches.
    """

    takes_context = True

    def choose(self, context: Context, text: Tensor, text1: Tensor, guides: Tensor) -> tuple[Tensor, Tensor]:
        """(text1, guides), or the text (B, N, D) twice; what is left out keeps a gradient of zero."""
        if context.step_info is None or context.chance("text without visual guides") >= BYPASS:
            return text1, guides
        # Times 0, not left out: DDP waits for a gradient of every parameter.
        plain = text + 0.0 * (text1.float().mean() + guides.float().mean())
        return plain, plain

    def static(self, inputs: Sequence[Tensor | None]) -> Constants:
        """The text twice; see models.rows.folding."""
        text = inputs[-3]  # both kinds of row end with text, tokens, valid
        assert text is not None, "a static text is known"
        return text, text


def join(text: Tensor, visual: Tensor, valid: Tensor, asked: int = 0) -> Tensor:
    """Texts (B, N, D) and visual tokens (B, K, D), which `valid` (B, K) exist -> guides (B, N + K, D).

    Visual tokens are scaled to unit length as texts are, or they alone would decide a gate's maximum. One that does
    not exist becomes the first text that guides, which changes no maximum: the first `asked` are only looked for.
    """
    unit = normalize(visual, dim=-1)
    return torch.cat((text, torch.where(valid[..., None], unit, text[:, asked : asked + 1])), 1)


@register
class VisualGuides(GuideRow):
    """Visual prompts beside the text: [text (N, D), tokens (B, K, D), valid (B, K)] -> text (B, N, D), guides
    (B, N + K, D). It has no parameters.
    """

    def __init__(self, c_ins: Ins) -> None:
        super().__init__()
        if len(c_ins) != 3:
            raise ValueError(f"takes 3 sources (text, tokens, valid), got {len(c_ins)}")

    def forward(self, inputs: Sequence[Tensor], context: Context) -> tuple[Tensor, Tensor]:
        """See the class."""
        text, visual, valid = inputs
        texts = text.expand(len(visual), -1, -1)
        return self.choose(context, texts, texts, join(texts, visual, valid, self.asked))


@register
class TextVisualInteraction(GuideRow):
    """[maps ..., text (N, D), tokens (B, K, D), valid (B, K)] -> text (B, N, D) of unit length, guides (B, N + K, D).

    The text attends to the tokens and to 3x3 pooled tokens of each map, then the tokens to the updated text. The
    weight of the first change starts at zero: the text starts as it came. `width` of the attention: a multiple of 32.
    """

    def __init__(self, c_ins: Ins, text_dim: TextDim, width: int = 256) -> None:
        super().__init__()
        if len(c_ins) < 4:
            raise ValueError("takes one or more maps, then text, tokens, valid")
        self.pooled = nn.ModuleList(nn.Linear(channels, text_dim) for channels in c_ins[:-3])
        self.to_text, self.to_visual = CrossAttention(text_dim, width), CrossAttention(text_dim, width)
        self.alpha_text, self.alpha_visual = nn.Parameter(torch.tensor(0.0)), nn.Parameter(torch.tensor(1.0))

    def forward(self, inputs: Sequence[Tensor], context: Context) -> tuple[Tensor, Tensor]:
        """See the class."""
        *maps, text, visual, valid = inputs
        texts = text.expand(len(visual), -1, -1)
        tokens = [f(adaptive_max_pool2d(x, POOLED).flatten(2).mT) for f, x in zip(self.pooled, maps, strict=True)]
        keys = torch.cat((visual, *tokens), 1)
        # the maps' tokens always exist, so that every query has a key even where no prompt was found
        everywhere = torch.cat((valid, valid.new_ones(keys.shape[0], keys.shape[1] - visual.shape[1])), 1)
        text1 = normalize(texts + self.alpha_text * self.to_text(texts, keys, everywhere), dim=-1)
        visual1 = visual + self.alpha_visual * self.to_visual(visual, self.guiding(text1))
        return self.choose(context, texts, text1, join(text1, visual1, valid, self.asked))
