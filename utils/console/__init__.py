"""What people see while a script runs, and how a script ends.

May import: words, values.
"""
