"""Items and values as bytes: one module a format of answers, and the packed block index."""
