"""Networks: rows of a YAML, layers, losses, heads, and checkpoints ready to run. Its rooms, from the ground up: rows,
layers, losses, heads, sam, prompts, text, graph, inference, ready. A room imports only from rooms before it, and from
utils.
"""
