"""The HOOK dialect (On-Demand Processing of the DestinE Data Lake): orders in OData."""

from terrella.api.hook.dialect import ERRORS, router

__all__ = ["ERRORS", "router"]
