"""The doctor: whether a hall's CUPS, queues and permit directory are safe to print certificates with, and what to do where not (step 5)."""
