"""Pictures that this project draws itself, with their truth: the glass set and its polarization.

May import: files to batches.
"""
