"""The vocabulary: frozen dataclasses and new types. Nothing here reads, writes, or imports a heavy library."""
