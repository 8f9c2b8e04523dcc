/**
 * A view as the query of an address, and back: readable, stable, and without what is as usual.
 *
 *   at=10,25,1.6,globe  t=2015-01-16T00:00:00Z  l=a;c=nemo-ocean;v=tos;r=-2,30  l=...  p=...  map=...  panel=probe
 *
 * Parts of a layer are name=value between semicolons; what they hold is percent-encoded once by itself, so that
 * names of collections may hold anything. What cannot be read is left out, never an error: old links keep working.
 */
import {
  emptyView,
  newCube,
  newLayer,
  type CompareView,
  type CubeView,
  type LayerView,
  type PanelName,
  type ProbeView,
  type ShiftUnit,
  type View,
} from "./view";
import type { ProjectionName } from "../map/types";

const PROJECTIONS: readonly ProjectionName[] = ["globe", "flat", "mercator", "equalearth", "north", "south"];
const PANELS: readonly PanelName[] = ["layers", "probe", "compare", "cube", "takeaway", "share"];

/** The query of a view, without a question mark. */
export function written(view: View): string {
  const query = new URLSearchParams();
  const usual = emptyView();
  const { lon, lat, zoom, projection } = view.camera;
  query.set("at", [round(lon, 5), round(lat, 5), round(zoom, 3), projection].join(","));
  if (view.time) query.set("t", view.time);
  if (!view.blend) query.set("blend", "0");
  for (const layer of view.layers) query.append("l", layerText(layer));
  if (view.compare) query.set("vs", compareText(view.compare));
  if (view.cube) query.set("cube", cubeText(view.cube));
  for (const probe of view.probes) query.append("p", probeText(probe));
  const base = basemapText(view.basemap);
  if (base !== basemapText(usual.basemap)) query.set("map", base);
  if (view.panel) query.set("panel", view.panel);
  return query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%3D", "=").replaceAll("%3B", ";");
}

/** The view of a query. */
export function read(search: string): View {
  const query = new URLSearchParams(search);
  const view = emptyView();
  readCamera(view, query.get("at"));
  view.time = instant(query.get("t"));
  view.blend = query.get("blend") !== "0";
  for (const text of query.getAll("l")) {
    const layer = readLayer(text);
    if (layer && !view.layers.some((one) => one.id === layer.id)) view.layers.push(layer);
  }
  view.compare = readCompare(query.get("vs"), view.layers);
  view.cube = readCube(query.get("cube"), view.layers);
  view.probes = query
    .getAll("p")
    .map(readProbe)
    .filter((one) => one !== null);
  const base = query.get("map");
  if (base !== null)
    view.basemap = { land: /l/.test(base), borders: /b/.test(base), graticule: /g/.test(base), labels: /n/.test(base) };
  view.panel = PANELS.find((one) => one === query.get("panel")) ?? null;
  return view;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

const basemapText = (base: View["basemap"]): string =>
  (base.land ? "l" : "") + (base.borders ? "b" : "") + (base.graticule ? "g" : "") + (base.labels ? "n" : "") || "0";

function readCamera(view: View, text: string | null): void {
  const [lon, lat, zoom, name] = (text ?? "").split(",");
  const numbers = [lon, lat, zoom].map(number);
  if (numbers.some((one) => one === null) || Math.abs(numbers[1]!) > 90) return;
  const projection = PROJECTIONS.find((one) => one === name) ?? "globe";
  view.camera = { lon: numbers[0]!, lat: numbers[1]!, zoom: Math.min(18, Math.max(-1.5, numbers[2]!)), projection };
}

const number = (text: string | undefined): number | null => {
  const value = text === undefined || text.trim() === "" ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
};

const instant = (text: string | null): string | null =>
  text && /^[-+]?\d{4,}-\d\d(-\d\d([T ].*)?)?$/.test(text) ? text : null;

function pairs(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const one of text.split(";")) {
    const cut = one.indexOf("=");
    try {
      if (cut > 0) found.set(one.slice(0, cut), decodeURIComponent(one.slice(cut + 1)));
    } catch {
      // half a percent sign: left out
    }
  }
  return found;
}

const joined = (parts: [string, string][]): string =>
  parts.map(([name, value]) => `${name}=${quoted(value)}`).join(";");
const quoted = (value: string): string =>
  encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%20", " ");

function layerText(layer: LayerView): string {
  const parts: [string, string][] = [
    ["id", layer.id],
    ["c", layer.collection],
  ];
  if (layer.rgb) parts.push(["rgb", layer.rgb.map(encodeURIComponent).join(",")]);
  else if (layer.variable) parts.push(["v", layer.variable]);
  for (const [name, value] of Object.entries(layer.axes)) parts.push([`x.${encodeURIComponent(name)}`, value]);
  if (layer.time) parts.push(["t", layer.time]);
  if (!layer.shown) parts.push(["hide", "1"]);
  if (layer.opacity !== 1) parts.push(["o", String(round(layer.opacity, 3))]);
  if (layer.palette) parts.push(["pal", layer.palette]);
  if (layer.range) parts.push(["r", layer.range.join(",")]);
  if (layer.unit) parts.push(["u", layer.unit]);
  if (layer.classes) parts.push(["n", String(layer.classes)]);
  if (layer.contour) parts.push(["iso", String(layer.contour)]);
  if (!layer.smooth) parts.push(["cells", "1"]);
  if (layer.mask) parts.push(["m", layer.mask.join(",")]);
  if (layer.stretch) parts.push(["s", layer.stretch.flat().join(",")]);
  if (layer.gamma !== 1) parts.push(["gamma", String(round(layer.gamma, 3))]);
  return joined(parts);
}

function readLayer(text: string): LayerView | null {
  const parts = pairs(text);
  const [id, collection] = [parts.get("id") ?? "a", parts.get("c")];
  if (!collection) return null;
  const layer = newLayer(id, collection, parts.get("v") ?? null);
  const bands = parts.get("rgb")?.split(",").map(decoded);
  if (bands?.length === 3 && bands.every(Boolean)) layer.rgb = [bands[0]!, bands[1]!, bands[2]!];
  for (const [name, value] of parts) if (name.startsWith("x.")) layer.axes[decoded(name.slice(2))] = value;
  layer.time = instant(parts.get("t") ?? null);
  layer.shown = parts.get("hide") !== "1";
  layer.opacity = Math.min(1, Math.max(0, number(parts.get("o")) ?? 1));
  layer.palette = parts.get("pal") ?? null;
  layer.range = range(parts.get("r"));
  layer.unit = parts.get("u") ?? null;
  layer.classes = Math.min(64, Math.max(0, Math.round(number(parts.get("n")) ?? 0)));
  layer.contour = Math.max(0, number(parts.get("iso")) ?? 0);
  layer.smooth = parts.get("cells") !== "1";
  layer.mask = range(parts.get("m"));
  layer.stretch = stretch(parts.get("s"));
  layer.gamma = Math.min(5, Math.max(0.2, number(parts.get("gamma")) ?? 1));
  return layer;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function range(text: string | undefined): [number, number] | null {
  const [low, high] = (text ?? "").split(",").map((one) => number(one));
  return low != null && high != null ? [low, high] : null;
}

function compareText(compare: CompareView): string {
  const parts: [string, string][] = [
    ["mode", compare.mode],
    ["a", compare.a],
    ["at", String(round(compare.at, 4))],
    ["b", layerText(compare.b)],
  ];
  if (compare.range) parts.push(["r", compare.range.join(",")]);
  if (compare.shift) parts.push(["by", `${compare.shift.count} ${compare.shift.unit}`]);
  return joined(parts);
}

function stretch(text: string | undefined): LayerView["stretch"] {
  const [a, b, c, d, e, f] = (text ?? "").split(",").map((one) => number(one) ?? NaN);
  const all = [a, b, c, d, e, f];
  return all.every((one) => one !== undefined && Number.isFinite(one))
    ? [
        [a!, b!],
        [c!, d!],
        [e!, f!],
      ]
    : null;
}

function readCompare(text: string | null, layers: LayerView[]): CompareView | null {
  if (!text) return null;
  const parts = pairs(text);
  const mode = (["swipe", "side", "difference"] as const).find((one) => one === parts.get("mode"));
  const a = parts.get("a");
  const b = readLayer(parts.get("b") ?? "");
  if (!mode || !a || !b || !layers.some((one) => one.id === a)) return null;
  const at = Math.min(1, Math.max(0, number(parts.get("at")) ?? 0.5));
  return { mode, a, b, at, range: range(parts.get("r")), shift: shift(parts.get("by")) };
}

const SHIFTS: readonly ShiftUnit[] = ["step", "hour", "day", "month", "year"];

function shift(text: string | undefined): CompareView["shift"] {
  const [count, name] = (text ?? "").split(" ");
  const unit = SHIFTS.find((one) => one === name);
  const by = Math.round(number(count) ?? 0);
  return unit && by !== 0 && Math.abs(by) < 100_000 ? { count: by, unit } : null;
}

function cubeText(cube: CubeView): string {
  const usual = newCube(cube.layer);
  const parts: [string, string][] = [["l", cube.layer]];
  if (cube.depth) parts.push(["z", cube.depth]);
  if (cube.bbox) parts.push(["box", cube.bbox.map((one) => round(one, 5)).join(",")]);
  if (cube.mode !== usual.mode) parts.push(["mode", cube.mode]);
  for (const [name, from, to] of [
    ["cut", cube.cut, usual.cut],
    ["see", cube.orbit, usual.orbit],
  ] as const) {
    const written = from.map((one) => round(one, 4)).join(",");
    if (written !== to.join(",")) parts.push([name, written]);
  }
  if (cube.keep) parts.push(["keep", cube.keep.join(",")]);
  return joined(parts);
}

function readCube(text: string | null, layers: LayerView[]): CubeView | null {
  if (!text) return null;
  const parts = pairs(text);
  const layer = parts.get("l");
  if (!layer || !layers.some((one) => one.id === layer)) return null;
  const cube = newCube(layer);
  cube.depth = parts.get("z") ?? null;
  const [west, south, east, north] = numbers(parts.get("box"), 4) ?? [];
  if (west! < east! && south! < north! && south! >= -90 && north! <= 90) cube.bbox = [west!, south!, east!, north!];
  cube.mode = (["corner", "planes", "whole"] as const).find((one) => one === parts.get("mode")) ?? cube.mode;
  const cut = numbers(parts.get("cut"), 3)?.map((one) => Math.min(1, Math.max(0, one)));
  if (cut) cube.cut = [cut[0]!, cut[1]!, cut[2]!];
  const see = numbers(parts.get("see"), 3);
  if (see) cube.orbit = [see[0]! % 360, Math.min(89, Math.max(-89, see[1]!)), Math.min(2.5, Math.max(0.25, see[2]!))];
  cube.keep = range(parts.get("keep"));
  return cube;
}

/** So many numbers between commas; null for others. */
function numbers(text: string | undefined, count: number): number[] | null {
  const all = (text ?? "").split(",").map(number);
  return all.length === count && all.every((one) => one !== null) ? (all as number[]) : null;
}

function probeText(probe: ProbeView): string {
  const parts: [string, string][] = [["id", probe.id]];
  if (probe.label) parts.push(["n", probe.label]);
  if (probe.region) parts.push(["region", probe.region]);
  if (probe.geometry?.type === "Point")
    parts.push([
      "at",
      probe.geometry.coordinates
        .slice(0, 2)
        .map((one) => round(one, 6))
        .join(","),
    ]);
  else if (probe.geometry) parts.push(["g", JSON.stringify(probe.geometry)]);
  return joined(parts);
}

function readProbe(text: string): ProbeView | null {
  const parts = pairs(text);
  const probe: ProbeView = {
    id: parts.get("id") ?? "1",
    label: parts.get("n") ?? "",
    geometry: null,
    region: parts.get("region") ?? null,
  };
  const [lon, lat] = (parts.get("at") ?? "").split(",").map((one) => number(one));
  if (lon != null && lat != null && Math.abs(lat) <= 90) probe.geometry = { type: "Point", coordinates: [lon, lat] };
  const shape = parts.get("g");
  if (shape) probe.geometry = geometry(shape);
  return probe.geometry || probe.region ? probe : null;
}

function geometry(text: string): ProbeView["geometry"] {
  try {
    const shape = JSON.parse(text) as ProbeView["geometry"];
    const known = ["Point", "LineString", "Polygon", "MultiPolygon"];
    return shape && known.includes(shape.type) && Array.isArray(shape.coordinates) ? shape : null;
  } catch {
    return null;
  }
}
