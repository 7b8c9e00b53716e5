"""Networks: rows of a YAML, layers, heads, losses, and checkpoints ready to run. Its rooms, from the ground up: rows,
layers, heads, sam, prompts, text, graph, losses, inference, ready. A room imports only from rooms before it, and from
utils.
"""
