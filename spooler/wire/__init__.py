"""The contract between home and hall, imported by both sides."""
