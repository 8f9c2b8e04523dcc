"""Tables of measurements: their columns, what these are for, and how rows lie in arrays."""
