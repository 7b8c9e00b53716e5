"""Detections compared with the truth: pairs of boxes, matches, COCO's numbers, tables.

May import: words to processes.
"""
