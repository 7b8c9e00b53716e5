"""Where a script runs: device, processes, threads, memory, number format, and which run it resumes.

May import: words to files.
"""
