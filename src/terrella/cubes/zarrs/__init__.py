"""Zarr stores read without detours: metadata, chunk keys, codecs; shared by Zarr and Icechunk."""
