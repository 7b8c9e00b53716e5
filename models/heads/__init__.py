"""Detection heads; each returns utils.structures.Predictions."""

from models.heads import anchor, contrastive, free

__all__ = ["anchor", "contrastive", "free"]
