"""A network ready to run: loaded, new or replayed, what comes after it, and how long it takes.

May import: every other room of models.
"""
