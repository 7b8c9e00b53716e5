"""From scenes to batches: samples, samplers, loaders, and previews of what they give.

May import: files to scenes.
"""
