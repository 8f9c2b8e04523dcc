"""What exists: one catalogue over all providers."""
