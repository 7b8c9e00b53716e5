"""What is written to disk, so that nothing is lost: run folders, checkpoints, output paths.

May import: words to flags.
"""
