"""From predictions and truth to losses: overlaps, assignment, criteria, fitted anchors.

May import: rows.
"""
