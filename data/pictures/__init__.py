"""From a path to pixels: one picture with its planes, folders and videos of them.

May import: files.
"""
