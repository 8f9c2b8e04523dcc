"""The other tile servers over one Zarr, run by the Python of their own environment: KIND ZARR PORT."""

from __future__ import annotations

import sys


def serve_xpublish(data: str, port: int) -> None:
    import uvicorn
    import xarray as xr
    import xpublish
    from xpublish_tiles.xpublish.tiles.plugin import TilesPlugin

    rest = xpublish.SingleDatasetRest(xr.open_zarr(data, chunks=None), plugins={"tiles": TilesPlugin()})
    uvicorn.run(rest.app, host="127.0.0.1", port=port, log_level="warning")


def serve_titiler(data: str, port: int) -> None:
    import uvicorn
    from titiler.xarray.main import app

    assert data  # the address of each tile names it
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    {"xpublish-tiles": serve_xpublish, "titiler.xarray": serve_titiler}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
