"""What an inspection line asks of an evaluation: escape, overkill, thresholds, sizes, kinds of error, certainty.

May import: words to detecting.
"""
