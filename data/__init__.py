"""Reading pictures and labels, and making batches of them. Its rooms, from the ground up: files, pictures, labels,
sets, index, augment, batches, drawn. A room imports only from rooms before it, and from utils.
"""
