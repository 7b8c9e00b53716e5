"""Detection heads; each returns utils.structures.Predictions."""

from models.heads import anchor, free

__all__ = ["anchor", "free"]
