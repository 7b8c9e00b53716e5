"""What is written to disk, and how it is never lost: run folders, checkpoints, output paths.

May import: words to config.
"""
