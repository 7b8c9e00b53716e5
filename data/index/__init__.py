"""Records by the million: written once, mapped into memory, joined from several sets.

May import: files to sets.
"""
