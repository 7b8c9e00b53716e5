"""From records to batches: scenes, samples, samplers, loaders, and previews of what they give.

May import: files to augment.
"""
