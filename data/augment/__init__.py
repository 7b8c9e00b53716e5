"""A picture with its truth (a scene), and what happens to it before training: geometry, colour, mosaic, pasting.

May import: files to index.
"""
