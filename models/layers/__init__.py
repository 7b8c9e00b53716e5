"""Layers of every network. A new layer: its file here, and its line below."""

from models.layers import attention, context, conv, csp, edge, fuse, ghost, pool

__all__ = ["attention", "context", "conv", "csp", "edge", "fuse", "ghost", "pool"]
