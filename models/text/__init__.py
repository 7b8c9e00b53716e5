"""Text as unit vectors: encoders behind one interface, and a cache of their vectors.

May import: rows to prompts.
"""
