"""A network ready to run: loaded, new or replayed, its post-processing, and how long it takes.

May import: every other room of models.
"""
