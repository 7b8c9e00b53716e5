"""Pictures for people: overlays, charts, curves.

May import: words to scoring.
"""
