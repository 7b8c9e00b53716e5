"""From which score on a detection counts, and what that decides: thresholds, escapes, overkill, with their intervals.

May import: words to detecting.
"""
