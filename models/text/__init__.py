"""Text as unit vectors: encoders behind one interface, and a cache of what they gave."""
