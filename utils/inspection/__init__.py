"""What an inspection line asks of an evaluation: escapes, overkill, thresholds, sizes, kinds of error, calibration.

May import: words to detecting.
"""
