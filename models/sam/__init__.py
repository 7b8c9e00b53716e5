"""Mobile-SAM as a frozen helper: image embedding, prompt embeddings, masks of boxes.

May import: rows to heads.
"""
