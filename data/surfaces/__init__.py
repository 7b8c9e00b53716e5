"""Drawn surfaces of 31 materials, cut to workpieces, with what belongs on them; or a user's own good pictures as such.

May import: files, pictures.
"""
