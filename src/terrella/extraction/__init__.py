"""Shape in, values out: plan the cells, refuse what is too large, read only what is needed."""
