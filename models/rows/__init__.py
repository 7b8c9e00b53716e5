"""What a network is written in: the registry of layers, the rows of a model YAML, and what rows share.

Imports no other room of models.
"""
