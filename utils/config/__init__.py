"""From the command line to a configuration: flags, YAML and --set, each value checked and its origin kept.

May import: words, values, console.
"""
