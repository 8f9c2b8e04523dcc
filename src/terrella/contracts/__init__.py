"""What a stranger may implement: a few small Protocols, and the loader that finds implementations."""
