"""Files that were made from a network: what they say of themselves, whether they are whole, and how they run.

May import: rows, text, graph, inference. Its libraries are optional (requirements-export.txt), imported where a file
is opened.
"""
