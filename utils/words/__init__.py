"""Names and messages: errors, plain English, YAML that knows its lines, class names and what else they are called.

Imports no other room.
"""
