"""report.html and report.json: one evaluation in one file that opens anywhere, without a network."""
