"""Commands that belong to no feature."""
