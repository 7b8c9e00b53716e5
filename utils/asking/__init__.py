"""From what a user typed to questions, each in its typed form, or why one is none of them.

May import: words and questions to chinese.
"""
