"""How questions are asked in English: tables of patterns, noun phrases, limits.

May import: words and questions.
"""
