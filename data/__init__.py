"""Reading pictures and labels, and making batches of them."""
