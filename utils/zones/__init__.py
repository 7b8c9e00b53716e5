"""Regions of interest: where in a picture a defect of which class counts, read from a file of polygons.

May import: words, values.
"""
