"""What is behind detect.py's page: its pictures, what is found in them and what people say of them, without HTTP.

May import: words to report.
"""
