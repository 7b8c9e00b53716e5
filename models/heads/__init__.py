"""Detection heads; each returns utils.structures.Predictions."""

from models.heads import anchor

__all__ = ["anchor"]
