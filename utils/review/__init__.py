"""What people say about pictures that were looked at: which teach most, and the data set that their reviews become.

May import: words to detecting.
"""
