"""A command line becomes a configuration: flags, YAML, --set, each value checked, with its origin.

May import: words, values, console.
"""
