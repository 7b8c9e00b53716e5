"""What detections answer to a question about their picture, with the boxes that show it and how sure it is.

May import: words to questions.
"""
