"""The report of a run: report.html, one file that opens anywhere without a network, and report.json.

May import: words to inspection.
"""
