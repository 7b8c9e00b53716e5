"""Detection heads: each turns maps into Predictions, and owns the criterion that it learns by.

May import: rows, layers, losses.
"""

from models.heads import anchor, contrastive
from models.heads import anchor_free as free

__all__ = ["anchor", "contrastive", "free"]
