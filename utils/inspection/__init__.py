"""What an inspection line asks of an evaluation: aims, sizes, kinds of error, calibration, is one model better.

May import: words to deciding.
"""
