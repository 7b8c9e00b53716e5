"""Where a script runs: device, processes, threads, memory, number format, and the run it goes on with.

May import: words to files.
"""
