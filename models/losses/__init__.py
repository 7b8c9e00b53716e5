"""Predictions and truth become losses: overlaps, assignment, criteria, anchors that fit.

May import: rows.
"""
