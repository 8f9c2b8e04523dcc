"""Terrella: Destination Earth that you can install."""
