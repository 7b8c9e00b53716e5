"""What a question about a picture is: a small typed form, and what the rules of every language are made of.

May import: words.
"""
