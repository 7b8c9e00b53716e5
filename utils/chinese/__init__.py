"""How questions are asked in Chinese: tables of patterns, noun phrases, limits and places.

May import: words, questions and english.
"""
