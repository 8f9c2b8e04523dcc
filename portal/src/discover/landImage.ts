/** The land of the Earth as one picture for all small maps, and coasts to draw over thumbnails. */
import { geoEquirectangular, geoPath } from "d3-geo";
import { feature, mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import coarse from "world-atlas/countries-110m.json?url";
import { json } from "../api/http";
import type { Box } from "./query";

type World = Topology<{ countries: GeometryCollection; land: GeometryCollection }>;

const WIDTH = 720;
let world: Promise<World> | null = null;
let mask: Promise<string> | null = null;
let coasts: Promise<GeoJSON.MultiLineString> | null = null;

function fetched(): Promise<World> {
  world ??= json<World>(new URL(coarse, location.href)).catch((error: unknown) => {
    world = mask = coasts = null; // once more when somebody asks again
    throw error;
  });
  return world;
}

/** Address of a picture of the whole Earth, twice as wide as high, opaque where land is. */
export function landMask(): Promise<string> {
  mask ??= fetched().then(drawnMask);
  return mask;
}

function drawnMask(atlas: World): Promise<string> {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = WIDTH / 2;
  const ink = canvas.getContext("2d")!;
  const projection = geoEquirectangular()
    .scale(WIDTH / (2 * Math.PI))
    .translate([WIDTH / 2, WIDTH / 4]);
  ink.beginPath();
  geoPath(projection, ink)(feature(atlas, atlas.objects.land));
  ink.fill();
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(URL.createObjectURL(blob)) : reject(new Error("no picture")))),
  );
}

/** Draws coasts over a picture of a box whose rows are parallels and whose columns are meridians. */
export async function drawCoasts(canvas: HTMLCanvasElement, [west, south, east, north]: Box): Promise<void> {
  coasts ??= fetched().then((atlas) => mesh(atlas, atlas.objects.countries as never, (a, b) => a === b));
  const lines = await coasts;
  const ratio = Math.min(2, devicePixelRatio);
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width || !height) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const ink = canvas.getContext("2d")!;
  const across = canvas.width / (east - west);
  const down = canvas.height / (north - south);
  ink.lineJoin = "round";
  ink.beginPath();
  for (const turn of [-360, 0, 360]) {
    if (180 + turn < west || -180 + turn > east) continue;
    for (const line of lines.coordinates)
      line.forEach(([lon, lat], n) => {
        const x = (lon! + turn - west) * across;
        const y = (north - lat!) * down;
        // what jumps over the antimeridian is no line
        if (n && Math.abs(lon! - line[n - 1]![0]!) < 180) ink.lineTo(x, y);
        else ink.moveTo(x, y);
      });
  }
  // dark over a light line: seen over dark and light values
  for (const [color, wide] of [
    ["rgb(255 255 255 / 45%)", 1.8],
    ["rgb(0 0 0 / 65%)", 0.8],
  ] as const) {
    ink.strokeStyle = color;
    ink.lineWidth = wide * ratio;
    ink.stroke();
  }
}
