"""A line that never ends: what detect.py leaves of pictures that come one by one, through stops, kills and full disks.

May import: words to report.
"""
