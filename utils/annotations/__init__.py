"""What was found, in the formats of annotation tools, so that a person corrects instead of drawing.

May import: words to drawing.
"""
