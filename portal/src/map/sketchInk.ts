/** Shapes on the canvas: a light casing under the colour, so that they are seen on any value. */
import { geoCentroid, geoPath, type GeoProjection } from "d3-geo";
import { placeAt, projectionFor } from "./projection";
import { outline, spherical } from "./shapes";
import type { Frame, LonLat } from "./types";

export interface Drawing {
  geometry: GeoJSON.Geometry;
  color: string;
  label?: string | undefined;
  /** A shape that is not finished yet. */
  isOpen?: boolean;
}

export interface Marks {
  vertices: LonLat[];
  middles: LonLat[];
  selected: number;
  color: string;
}

const FONT = '600 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';
const EDGE = 40;

/** Degrees between two points of a straight edge: as close together as one can see. */
const stepAt = (zoom: number): number => (zoom < 4 ? 1 : zoom < 8 ? 0.25 : 0.1);

/** With so many vertices a shape is drawn in outline while the map moves, and no curve needs refining. */
const MANY = 1500;

interface Prepared {
  step: number;
  vertices: number;
  fill: GeoJSON.Geometry | null;
  lines: GeoJSON.Geometry | null;
  points: LonLat[];
}
const prepared = new WeakMap<GeoJSON.Geometry, Prepared>();

function prepare(geometry: GeoJSON.Geometry, zoom: number): Prepared {
  const step = stepAt(zoom);
  const known = prepared.get(geometry);
  if (known?.step === step) return known;
  const drawn = parts(geometry, step);
  const made = { step, vertices: countOf(drawn.lines), ...drawn };
  prepared.set(geometry, made);
  return made;
}

function countOf(lines: GeoJSON.Geometry | null): number {
  return lines?.type === "LineString"
    ? lines.coordinates.length
    : lines?.type === "MultiLineString"
      ? lines.coordinates.flat().length
      : 0;
}

function parts(geometry: GeoJSON.Geometry, step: number): Omit<Prepared, "step" | "vertices"> {
  const none = { fill: null, lines: null, points: [] };
  switch (geometry.type) {
    case "Point":
      return { ...none, points: [geometry.coordinates as LonLat] };
    case "MultiPoint":
      return { ...none, points: geometry.coordinates as LonLat[] };
    case "LineString":
    case "MultiLineString":
      return { ...none, lines: geometry };
    case "Polygon":
      return { ...none, fill: spherical(geometry, step), lines: outline(geometry.coordinates, step) };
    case "MultiPolygon":
      return { ...none, fill: spherical(geometry, step), lines: outline(geometry.coordinates.flat(), step) };
    case "GeometryCollection": {
      const each = geometry.geometries.map((one) => parts(one, step));
      const together = (all: (GeoJSON.Geometry | null)[]): GeoJSON.Geometry => ({
        type: "GeometryCollection",
        geometries: all.filter((one) => one !== null),
      });
      return {
        fill: together(each.map((one) => one.fill)),
        lines: together(each.map((one) => one.lines)),
        points: each.flatMap((one) => one.points),
      };
    }
  }
}

/** Pixel of a place; null where it is not seen. */
export function pixel(projection: GeoProjection, place: LonLat): [number, number] | null {
  const at = projection(place);
  if (!at || !Number.isFinite(at[0]) || !Number.isFinite(at[1])) return null;
  const back = placeAt(projection, at[0], at[1]);
  const isThere =
    back &&
    Math.abs(back[1] - place[1]) < 0.5 &&
    Math.abs(Math.sin(((back[0] - place[0]) * Math.PI) / 360)) * Math.cos((place[1] * Math.PI) / 180) < 0.01;
  return isThere ? at : null;
}

export function drawShapes(ctx: CanvasRenderingContext2D, frame: Frame, drawings: readonly Drawing[]): void {
  const { camera, width, height } = frame;
  const projection = projectionFor(camera, width, height)
    .scale(frame.projection.scale())
    .translate(frame.projection.translate());
  projection.clipExtent([
    [-EDGE, -EDGE],
    [width + EDGE, height + EDGE],
  ]);
  ctx.save();
  ctx.lineJoin = ctx.lineCap = "round";
  for (const drawing of drawings) drawOne(ctx, frame, projection, drawing);
  ctx.restore();
}

function drawOne(
  ctx: CanvasRenderingContext2D,
  frame: Frame,
  projection: GeoProjection,
  { geometry, color, label, isOpen }: Drawing,
): void {
  const { fill, lines, points, vertices } = prepare(geometry, frame.camera.zoom);
  projection.precision(vertices > MANY ? 0 : 0.3);
  if (fill && !(frame.moving && vertices > MANY)) {
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = color;
    ctx.fill(pathOf(projection, fill));
    ctx.globalAlpha = 1;
  }
  if (lines) {
    const path = pathOf(projection, lines);
    line(ctx, path, casing(frame), 4.5);
    if (isOpen) ctx.setLineDash([6, 5]);
    line(ctx, path, color, 2.2);
    ctx.setLineDash([]);
  }
  for (const point of points) {
    const at = pixel(frame.projection, point);
    if (at) disc(ctx, at, 6, color, casing(frame), 2.5);
  }
  if (label) write(ctx, frame, label, geometry);
}

const casing = ({ dark }: Frame): string => (dark ? "#06131fd0" : "#ffffffe0");

function pathOf(projection: GeoProjection, geometry: GeoJSON.Geometry): Path2D {
  const path = new Path2D();
  geoPath(projection, path as unknown as CanvasRenderingContext2D)(geometry);
  return path;
}

function line(ctx: CanvasRenderingContext2D, path: Path2D, color: string, width: number): void {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.stroke(path);
}

function disc(
  ctx: CanvasRenderingContext2D,
  [x, y]: readonly [number, number],
  radius: number,
  fill: string,
  rim: string,
  width: number,
): void {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fillStyle = fill;
  ctx.strokeStyle = rim;
  ctx.lineWidth = width;
  ctx.stroke();
  ctx.fill();
}

function write(ctx: CanvasRenderingContext2D, frame: Frame, label: string, geometry: GeoJSON.Geometry): void {
  const isPoint = geometry.type === "Point";
  const place = standing(geometry);
  const at = pixel(frame.projection, place);
  if (!at) return;
  ctx.font = FONT;
  ctx.textAlign = isPoint ? "left" : "center";
  ctx.textBaseline = "middle";
  ctx.lineWidth = 4;
  ctx.strokeStyle = casing(frame);
  ctx.fillStyle = frame.dark ? "#f2f6fa" : "#14202b";
  const [x, y] = [at[0] + (isPoint ? 11 : 0), at[1] - (geometry.type === "LineString" ? 15 : 0)];
  ctx.strokeText(label, x, y);
  ctx.fillText(label, x, y);
}

/** Of a line the middle one of its vertices, of an area its centroid. */
function standing(geometry: GeoJSON.Geometry): LonLat {
  if (geometry.type === "Point") return geometry.coordinates as LonLat;
  if (geometry.type === "LineString")
    return geometry.coordinates[Math.floor(geometry.coordinates.length / 2)] as LonLat;
  return geoCentroid(spherical(geometry, 5)) as LonLat;
}

/** Vertices to take hold of, and small ones between them. */
export function drawMarks(
  ctx: CanvasRenderingContext2D,
  frame: Frame,
  { vertices, middles, selected, color }: Marks,
): void {
  ctx.save();
  for (const place of middles) {
    const at = pixel(frame.projection, place);
    if (at) disc(ctx, at, 3, "#ffffffb0", color, 1);
  }
  vertices.forEach((place, index) => {
    const at = pixel(frame.projection, place);
    if (!at) return;
    if (index === selected) disc(ctx, at, 9, "#ffffff00", "#ffffff", 6);
    disc(
      ctx,
      at,
      index === selected ? 7 : 5,
      index === selected ? color : "#ffffff",
      index === selected ? "#10202c" : color,
      2,
    );
  });
  ctx.restore();
}
