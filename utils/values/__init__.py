"""What crosses a boundary: small frozen dataclasses, with boxes as xyxy in pixels of the network input.

May import: words.
"""
