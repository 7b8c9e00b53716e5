"""Drawn defects: 64 kinds, each an outline and what it does to the surface under it.

May import: files to surfaces.
"""
