"""From files to batches: pictures and labels are read into records, records and pictures give scenes, scenes samples.

Its rooms, from the ground up: files, pictures, surfaces, defects, world, labels, sets, index, augment, batches, drawn.
A room imports only from rooms before it, and from utils.
"""
