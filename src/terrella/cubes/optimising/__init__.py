"""A second copy of a cube, laid out for series or for maps, smaller by a stated largest error; readers choose."""
