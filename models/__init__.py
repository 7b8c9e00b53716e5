"""Networks, losses and what becomes of predictions."""
