"""One page about a run, report.html with report.json: one file that opens anywhere, without a network.

May import: words to inspection.
"""
