"""From a network to a file that was proved equal to it: traced, written, compared, made small.

May import: rows, graph, inference, exported, ready.
"""
