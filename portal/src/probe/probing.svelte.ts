/**
 * Probing on the map: which tool is in hand, and what is drawn. The map pane shows `sketches`, hands over what was
 * picked or drawn, and draws with `tool`; the panel does the rest.
 */
import type { Sketch } from "../map/types";
import { COLORS, inkOf, onScheme } from "../chart/colors";
import { portal } from "../state/portal.svelte";
import type { ProbeView } from "../state/view";
import { colorOf, freeNumber, nameOf } from "./shapes";

export type ProbeTool = "point" | "line" | "polygon" | "box";

/** More than this in one chart nobody tells apart. */
export const MOST_PROBES = 12;

class Probing {
  /** What a click on the map begins while the panel is open. */
  tool = $state<ProbeTool>("point");
  /** How far a shape has come that is being drawn. */
  drawing = $state.raw<{ vertices: number; enough: boolean } | null>(null);
  /** The probe that was touched last. */
  chosen = $state<string | null>(null);
  /** Why nothing was added. */
  refused = $state<"full" | null>(null);
  /** Outlines of named regions, once the panel has asked for them. */
  outlines = $state.raw<Record<string, GeoJSON.Geometry>>({});
  #scheme = $state(0);
  #watching = false;

  /** What the map draws over itself: empty while nothing is probed. */
  get sketches(): Sketch[] {
    if (!portal.view.probes.length) return [];
    this.#watch();
    void this.#scheme;
    const ink = inkOf();
    return portal.view.probes.flatMap((probe) => {
      const geometry = probe.geometry ?? this.outlines[probe.region ?? ""];
      if (!geometry) return [];
      const color = ink.lines[colorOf(probe) % COLORS]!;
      return [
        {
          key: probe.id,
          geometry,
          color,
          label: probe.label || (probe.geometry?.type === "Point" ? probe.id : nameOf(probe)),
          editable: probe.geometry !== null,
        },
      ];
    });
  }

  /** A sketch was drawn (its key is new) or changed (a probe's). */
  sketched(key: string, geometry: GeoJSON.Geometry): void {
    const probe = portal.view.probes.find((one) => one.id === key);
    if (!isProbed(geometry)) return;
    if (probe) {
      probe.geometry = geometry;
      this.chosen = probe.id;
    } else this.add(geometry);
  }

  /** Adds a probe and answers its id; null where there are too many. */
  add(geometry: ProbeView["geometry"], label = "", region: string | null = null): string | null {
    const { probes } = portal.view;
    const same = region && probes.find((one) => one.region === region);
    if (same) return (this.chosen = same.id);
    this.refused = probes.length >= MOST_PROBES ? "full" : null;
    if (this.refused) return null;
    const id = freeNumber(probes.map((one) => one.id));
    probes.push({ id, label, geometry, region });
    portal.view.panel = "probe";
    return (this.chosen = id);
  }

  remove(id: string): void {
    portal.view.probes = portal.view.probes.filter((one) => one.id !== id);
    this.refused = null;
  }

  clear(): void {
    portal.view.probes = [];
    this.refused = null;
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    onScheme(() => queueMicrotask(() => this.#scheme++));
  }
}

function isProbed(geometry: GeoJSON.Geometry): geometry is NonNullable<ProbeView["geometry"]> {
  return ["Point", "LineString", "Polygon", "MultiPolygon"].includes(geometry.type);
}

export const probing = new Probing();
