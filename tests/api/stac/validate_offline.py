"""stac-api-validator without the internet: STAC's own schemas come from pystac, where they are looked up by address."""

from __future__ import annotations

from importlib.resources import files

from stac_validator import utilities

SCHEMAS = files("pystac.validation.jsonschemas")
ADDRESSES = {
    "https://schemas.stacspec.org/v1.1.0/collection-spec/json-schema/": SCHEMAS / "stac-spec" / "v1.1.0",
    "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/": SCHEMAS / "stac-spec" / "v1.1.0",
    "https://schemas.stacspec.org/v1.1.0/catalog-spec/json-schema/": SCHEMAS / "stac-spec" / "v1.1.0",
    "https://geojson.org/schema/": SCHEMAS / "geojson",
}


def local(address: str) -> str:
    """The file that holds the schema of an address, where there is one."""
    for start, folder in ADDRESSES.items():
        if address.startswith(start):
            return str(folder / address.removeprefix(start))
    return address


if __name__ == "__main__":
    utilities._map_extension_url_to_local = local
    from stac_api_validator.__main__ import main

    main()
