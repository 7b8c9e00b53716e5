"""The command lines of scripts and commands: flags as values, what is refused, and what they make of a configuration.

May import: words to config.
"""
