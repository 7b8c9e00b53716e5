"""Files as such: tar shards, stamps of files, paths of a data YAML, large json read as a stream, the data report.

Imports no other room of data.
"""
