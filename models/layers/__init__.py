"""The layers of every network. To add one: its file here, and its line below.

May import: rows.
"""

from models.layers import attention, c2f, context, conv, csp, edge, fuse, ghost, polar, pool, timm_backbone

__all__ = ["attention", "c2f", "context", "conv", "csp", "edge", "fuse", "ghost", "polar", "pool", "timm_backbone"]
