"""Sources of collections, one folder each; nobody imports them: they arrive through entry points."""
