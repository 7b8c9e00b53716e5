"""How often answers are right: questions made from the truth or read from a file, judged, scored, and compared.

May import: words to answers.
"""
