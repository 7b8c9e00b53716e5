"""From the inputs of a network to detections in the pixels of their pictures, the same for val.py and detect.py.

Imports no other room of models: a backend is known by what it does.
"""
