"""Detection heads; each returns utils.values.structures.Predictions.

May import: rows, layers.
"""

from models.heads import anchor, contrastive, free

__all__ = ["anchor", "contrastive", "free"]
