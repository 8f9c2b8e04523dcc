"""HDF5 from inside: dimensions, attributes, filters."""
