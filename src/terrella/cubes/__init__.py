"""From files to lazy cubes: scan what is there, open it as one, read only what is needed."""
