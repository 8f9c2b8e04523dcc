/** Probes on the map: drawn over it, drawn with it, and moved on it. */
import type { MapView } from "../map/MapView";
import { portal } from "../state/portal.svelte";
import { probing } from "./probing.svelte";

/** Joins the map and the probes until the answered function is called. Within an effect. */
export function joinMap(map: MapView): () => void {
  $effect(() => map.sketches(probing.sketches));
  $effect(() => {
    const isOpen = portal.view.panel === "probe";
    // places are what every click on the map asks for; shapes need a tool
    map.tool = isOpen && probing.tool !== "point" ? probing.tool : null;
  });
  const ends = [
    map.on("sketch", ({ key, geometry }) => {
      // one area after another is rarely wanted; one place after another is
      if (!portal.view.probes.some((one) => one.id === key)) probing.tool = "point";
      probing.sketched(key, geometry);
    }),
    map.on("drawing", (state) => {
      probing.drawing = state.tool ? state : null;
      if (!state.tool) probing.tool = "point";
    }),
  ];
  return () => {
    for (const end of ends) end();
    probing.drawing = null;
  };
}
