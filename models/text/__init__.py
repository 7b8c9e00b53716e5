"""Text as unit vectors: encoders behind one interface, and a cache of what they gave.

May import: rows to prompts.
"""
