"""From a data YAML or a folder to the records of a split.

May import: files to labels.
"""
