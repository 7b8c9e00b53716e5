"""A network in the form that exported files have: tensors in, one tensor out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.graph.folded import static_graph, without_norms
from models.graph.graph import Graph
from models.rows.row_context import Context


class ExportForm(nn.Module):
    """Pictures (B, C, H, W) float32 in 0..1 -> (B, A, 4 + K) float32: boxes xyxy in pixels of the input, then the score
    of each class in 0..1, before NMS.

    With `text_input` it takes a second tensor, text vectors (K, D), in whose order the scores come. Else the names of
    a network that reads text are folded in. Mobile-SAM and the visual prompts are left out, see static_graph.
    """

    def __init__(self, graph: Graph, text_input: bool = False) -> None:
        super().__init__()
        self.graph = without_norms(static_graph(graph, text_input))
        self.text_input = text_input
        self.eval()  # torch's exporter puts a module back into the mode in which it finds it

    def forward(self, images: Tensor, text: Tensor | None = None) -> Tensor:
        """See the class."""
        predictions = self.graph.run(images, text, Context(None))
        scores = predictions.class_logits.float().sigmoid()
        if predictions.objectness is not None:
            scores = scores * predictions.objectness.float().sigmoid().unsqueeze(-1)
        return torch.cat((predictions.boxes, scores), -1)
