"""From a path to pixels: single pictures with their planes, folders of them, videos.

May import: files.
"""
