"""Mobile-SAM, which is never trained: a picture's embedding, points and boxes as prompt embeddings, masks of boxes.

May import: rows.
"""
