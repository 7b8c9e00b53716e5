"""A drawn world of industrial surfaces and their defects, as a function of a seed and a number.

May import: files to defects.
"""
