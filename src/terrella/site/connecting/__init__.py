"""Lines of code that get at a site with the clients people have: `examples` picks data, `connections` writes lines."""

from terrella.site.connecting.address import Address
from terrella.site.connecting.clients import CLIENTS, Connection, connections
from terrella.site.connecting.examples import Example, Examples, examples
from terrella.site.connecting.scenes import Scene

__all__ = ["CLIENTS", "Address", "Connection", "Example", "Examples", "Scene", "connections", "examples"]
