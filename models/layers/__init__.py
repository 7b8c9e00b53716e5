"""Layers of every network. A new layer: its file here, and its line below."""

from models.layers import context, conv, csp, edge, fuse, pool

__all__ = ["context", "conv", "csp", "edge", "fuse", "pool"]
