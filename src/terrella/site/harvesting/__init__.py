"""Harvest: copy what others have into the lake, again and again, only what is new.

`sources` reads catalogues of others, `memory` knows what was there before, `running` is the run, `watching` folders.
"""

from terrella.site.harvesting.asking import HARVEST, Wanted, schedule, schedule_name, wanted_from
from terrella.site.harvesting.running import Harvested, harvest, run

__all__ = ["HARVEST", "Harvested", "Wanted", "harvest", "run", "schedule", "schedule_name", "wanted_from"]
