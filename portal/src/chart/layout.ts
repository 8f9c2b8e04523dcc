/** Where the parts of a chart of lines lie, in CSS pixels; for the screen and for files alike. Pure. */
import { numberTicks, roomFor, timeTicks, type Tick } from "./ticks";
import { text } from "../text/en";
import { shown, type ChartData, type Line } from "./types";

export const FONT = 11;
/** Usual width of a letter of the system's sans-serif, as a share of its size; figures are wider than the mean. */
const LETTER = 0.56;
export const widthOf = (words: string, size = FONT): number =>
  Math.max(0, ...words.split("\n").map((one) => one.length)) * size * LETTER;

export interface Axis {
  /** Of the unit that its lines share. */
  key: string;
  title: string;
  low: number;
  high: number;
  /** Number of the colour of all its lines; null where they differ. */
  color: number | null;
}

export interface Frame {
  width: number;
  height: number;
  plot: { left: number; top: number; width: number; height: number };
  x: { low: number; high: number };
  axes: Axis[];
}

/** The key of a line's axis: lines with one unit share one. */
export const axisOf = (line: Line): string => line.unit.label || "1";

/** Units in the order in which lines bring them. */
export const axisKeys = (lines: readonly Line[]): string[] => [...new Set(lines.map(axisOf))];

/** The range of the values of an axis, in shown units, within a part of x. */
export function rangeOf(lines: readonly Line[], key: string, low = -Infinity, high = Infinity): [number, number] {
  function* values(): Generator<number | null> {
    for (const line of lines) {
      if (axisOf(line) !== key) continue;
      for (let n = 0; n < line.x.length; n++) {
        if (line.x[n]! < low || line.x[n]! > high) continue;
        for (const value of [line.y[n], line.low?.[n], line.high?.[n]])
          if (value !== null && value !== undefined) yield shown(value, line.unit);
      }
    }
  }
  return roomFor(values());
}

/** The extent of x; a single position gets a little room. */
export function extentOf(data: ChartData): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { x } of data.lines) {
    if (!x.length) continue;
    low = Math.min(low, x[0]!);
    high = Math.max(high, x[x.length - 1]!);
  }
  if (low > high) return [0, 1];
  if (low < high) return [low, high];
  const room = data.x.kind === "time" ? 43_200_000 : Math.abs(low) * 0.05 || 1;
  return [low - room, high + room];
}

export function frameOf(data: ChartData, width: number, height: number, zoom?: [number, number]): Frame {
  const x = zoom ?? extentOf(data);
  const axes = axisKeys(data.lines).map((key): Axis => {
    const lines = data.lines.filter((one) => axisOf(one) === key);
    const [low, high] = rangeOf(data.lines, key, ...x);
    const what = [...new Set(lines.map((one) => one.what))];
    const unit = lines[0]!.unit.label;
    const colors = new Set(lines.map((one) => one.color));
    return {
      key,
      title: what.length === 1 ? `${what[0]}${unit ? ` (${unit})` : ""}` : unit,
      low,
      high,
      color: colors.size === 1 ? lines[0]!.color : null,
    };
  });
  const shape = { width, height, x: { low: x[0], high: x[1] }, axes };
  return data.x.upright ? upright(shape, data) : level(shape);
}

type Shape = Omit<Frame, "plot">;

function level(shape: Shape): Frame {
  const widths = shape.axes.map((one) => axisWidth(one, shape.height - 60));
  const left = widths[0] ?? 40;
  const right = widths.slice(1).reduce((all, one) => all + one, 0);
  const [top, bottom] = [20, 36];
  return {
    ...shape,
    plot: {
      left,
      top,
      width: Math.max(40, shape.width - left - Math.max(right, 14)),
      height: Math.max(40, shape.height - top - bottom),
    },
  };
}

/** Values lie below, each unit with a row of its own; heights at the left. */
function upright(shape: Shape, data: ChartData): Frame {
  const heights: Axis = { key: "", title: data.x.title, low: shape.x.low, high: shape.x.high, color: null };
  const left = axisWidth(heights, shape.height - 60);
  const bottom = 34 * Math.max(1, shape.axes.length);
  return {
    ...shape,
    plot: {
      left,
      top: 22,
      width: Math.max(40, shape.width - left - 16),
      height: Math.max(40, shape.height - 22 - bottom),
    },
  };
}

const axisWidth = (axis: Axis, length: number): number =>
  Math.max(0, ...ticksOf(axis.low, axis.high, length, 34).map((one) => widthOf(one.words))) + 16;

/** Marks so that each has `room` pixels. */
export const ticksOf = (low: number, high: number, length: number, room: number): Tick[] =>
  numberTicks(low, high, Math.max(2, Math.floor(length / room)));

export function xTicks(data: ChartData, low: number, high: number, length: number): Tick[] {
  if (data.x.kind === "time") return timeTicks(low, high, Math.max(2, Math.floor(length / 64)));
  if (data.x.kind === "month") return monthTicks(low, high, length);
  return data.x.upright ? ticksOf(low, high, length, 34) : ticksOf(low, high, length, 60);
}

function monthTicks(low: number, high: number, length: number): Tick[] {
  const step = length / 12 < 26 ? 2 : 1;
  const all = Array.from({ length: 12 }, (_, n) => ({ at: n + 1, words: text.probe.months[n]! }));
  return all.filter((one) => one.at >= low && one.at <= high && (one.at - 1) % step === 0);
}

/** Where an x lies along its axis, in pixels of the plot. */
export function placeX(frame: Frame, data: ChartData, at: number): number {
  const share = (at - frame.x.low) / (frame.x.high - frame.x.low || 1);
  if (!data.x.upright) return frame.plot.left + share * frame.plot.width;
  return frame.plot.top + (data.x.down ? share : 1 - share) * frame.plot.height;
}

/** Where a shown value lies along its axis. */
export function placeY(frame: Frame, data: ChartData, axis: Axis, value: number): number {
  const share = (value - axis.low) / (axis.high - axis.low || 1);
  if (data.x.upright) return frame.plot.left + share * frame.plot.width;
  return frame.plot.top + (1 - share) * frame.plot.height;
}
