"""What crosses a boundary, as small frozen dataclasses; boxes are xyxy in pixels of the network input.

May import: words.
"""
