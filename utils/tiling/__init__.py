"""Pictures in tiles: where the tiles lie, and how what is found in them becomes one list of boxes.

Imports no other room: its files take arrays and plain values alone, so that an exported bundle takes them along.
"""
