"""Records by the million: written once, mapped into memory, joined from several data sets.

May import: files to sets.
"""
