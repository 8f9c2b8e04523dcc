"""Searches as STAC writes them, read and checked for every dialect that takes them."""
