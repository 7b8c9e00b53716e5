"""Why a network found a box: which pixels its score hangs on, asked of the network alone, whatever it is made of.

May import: inference.
"""
