"""An index file of records in hand, for tests."""

import numpy as np

from data.index.index_writer import IndexWriter


def write_index(records, stamps, path, key="", meta=None):
    """Stamps first, then records, as a split is read."""
    with IndexWriter(path) as writer:
        writer.add_stamps(stamps)
        made = list(records)
        writer.add(made)
        writer.finish(np.array([record.image_id for record in made], np.int64), key, meta or {})
