"""What detect.py writes about pictures without truth: overlays, label files, tables.

May import: words to annotations.
"""
