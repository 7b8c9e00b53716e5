"""detect.py as a page: the server on this machine, who may ask it, and what a request says and sends.

May import: words to page. Its libraries are optional (requirements-serve.txt), imported where the server starts.
"""
