"""Weights that ship with the project: found by name, checked by hash.

Imports no other room of models.
"""
