"""Names and messages: errors, wording, YAML that knows its lines, class names and their synonyms.

Imports no other room.
"""
