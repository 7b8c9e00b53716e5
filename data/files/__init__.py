"""Files below pictures and labels: folders, shards, file stamps, paths in a data YAML, streamed json, the data report.

Imports no other room of data.
"""
