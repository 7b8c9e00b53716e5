"""Detection heads; each returns utils.values.predictions.Predictions.

May import: rows, layers.
"""

from models.heads import anchor, contrastive, free

__all__ = ["anchor", "contrastive", "free"]
