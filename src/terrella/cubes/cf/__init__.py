"""CF conventions: the one reading of them that all formats of arrays share."""
