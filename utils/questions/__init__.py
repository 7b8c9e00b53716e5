"""What is asked about a picture: questions in English or Chinese as a small typed form, or why one is none of it.

May import: words.
"""
