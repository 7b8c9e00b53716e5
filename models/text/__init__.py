"""Text as unit vectors: encoders behind one interface, a cache of their vectors, and a glossary that describes names.

May import: rows to prompts.
"""
