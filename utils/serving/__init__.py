"""detect.py as a page: a server on this machine that looks at pictures, shows what it finds and takes reviews.

May import: words to report. Its libraries are optional (requirements-serve.txt), imported where the server starts.
"""
