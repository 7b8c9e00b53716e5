"""What is odd about a data set as a whole: the same picture twice, pictures that look alike, dark ones, lost boxes.

May import: files to index.
"""
