"""A plan of trainings that are compared: run one by one, skipped when done, and what their differences say.

May import: words to training.
"""
