"""What the training loop is made of: state, step, optimizer, averaged weights, saving, the doctor.

May import: words to report.
"""
