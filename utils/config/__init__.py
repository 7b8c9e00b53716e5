"""Every knob of a run, its range and its origin: from YAML files, flags and --set to one configuration.

May import: words, values, console.
"""
