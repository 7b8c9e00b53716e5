"""Where the loader's scenes come from: files, memory or a disk cache, or a drawn world; and which could not be read.

May import: files to tiles.
"""
