"""Orders: whole products, packed near the data and delivered.

`asking` reads what was asked for, `choosing` finds the files, `packing` and `delivering` are the work of a job.
"""

from terrella.site.ordering.asking import order_from, with_secrets
from terrella.site.ordering.choosing import check_order, priced, products
from terrella.site.ordering.running import (
    ORDER,
    delivered_file,
    delivered_files,
    ended,
    folder_of,
    inputs_of,
    order,
    remove,
    submit,
)

__all__ = [
    "ORDER",
    "check_order",
    "delivered_file",
    "delivered_files",
    "ended",
    "folder_of",
    "inputs_of",
    "order",
    "order_from",
    "priced",
    "products",
    "remove",
    "submit",
    "with_secrets",
]
