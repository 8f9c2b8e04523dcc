/** Shows one element's content; what `embed.js` of each site exports. */
import type { Part, Show } from "./elements";
import { LegendPart } from "./LegendPart";
import { MapPart } from "./MapPart";
import { dress } from "./dress";

export const show: Show = (kind, shadow, wanted, tell): Part => {
  dress(shadow);
  if (kind === "map") return new MapPart(shadow, wanted, tell);
  if (kind === "legend") return new LegendPart(shadow, wanted, tell);
  return later(import("./ChartPart"), (module) => new module.ChartPart(shadow, wanted, tell), wanted);
};

/** A part whose code is fetched first: charts are heavier than maps, and many pages have none. */
function later<T>(module: Promise<T>, make: (module: T) => Part, wanted: Record<string, string>): Part {
  let part: Part | null = null;
  let [now, isOver] = [wanted, false];
  void module.then((found) => {
    if (isOver) return;
    part = make(found);
    if (now !== wanted) part.change(now);
  });
  return {
    change(next) {
      now = next;
      part?.change(next);
    },
    destroy() {
      isOver = true;
      part?.destroy();
    },
  };
}
