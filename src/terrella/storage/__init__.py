"""Bytes and rows: files and object stores, and the database."""
