"""Scenes as cubes: rasters on different grids, each read onto one stated grid when it is asked for."""
