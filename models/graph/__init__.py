"""From rows to a network, and what is done with it as a whole: summary, folding, freezing, its words.

May import: rows to text.
"""
