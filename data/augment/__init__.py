"""What happens to a picture and its boxes before training: geometry, colour, mosaic, pasted objects.

May import: files to index.
"""
