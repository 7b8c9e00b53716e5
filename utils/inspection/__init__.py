"""What an inspection line asks of an evaluation: escape, overkill, thresholds, sizes, errors, certainty."""
