"""One installation, built from its settings; also the Python interface."""

from terrella.site.site import Site

__all__ = ["Site"]
