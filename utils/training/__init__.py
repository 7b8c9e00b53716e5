"""What the training loop is made of: state, step, losses, epoch, optimizer, checkpoints, run folder, doctor, dry run.

May import: words to report.
"""
