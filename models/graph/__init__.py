"""From rows to a network, and what is done to it as a whole: summary, folding, freezing, vocabulary.

May import: rows to text.
"""
