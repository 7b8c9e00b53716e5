"""Pictures in tiles, without files of their own: which boxes a tile shows, a tile as a scene, how large tiles are.

May import: files to augment.
"""
