"""Mobile-SAM as a frozen helper: image embeddings, prompt embeddings, masks of boxes.

May import: rows.
"""
