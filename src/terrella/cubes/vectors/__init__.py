"""Polygons of vector files: what each is called, and its outline in longitude and latitude."""
