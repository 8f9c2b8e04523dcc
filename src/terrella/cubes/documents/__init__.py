"""Documents of strangers: JSON and XML read with care, and STAC checked."""
