"""Where the course of a training is kept: results.csv, and with --log TensorBoard's files and an MLflow store.

May import: words to processes. The libraries are optional (requirements-log.txt), and imported where they are used.
"""
