"""What a look at pictures without truth leaves: pictures, label files, tables.

May import: words to drawing.
"""
