"""HTTP: each dialect translates to the same typed requests; `terrella.api.app.create_app` puts them together."""

import logging

# stac-fastapi's module level settings complain when they are imported, whatever they are set to later
logging.getLogger("stac_fastapi.types.config").setLevel(logging.ERROR)
