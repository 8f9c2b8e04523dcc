"""One module a file format, each behind the entry-point group `terrella.formats`; none knows another."""
