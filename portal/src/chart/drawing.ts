/** Axes, grid and spread on the canvas of a chart; lines are drawn by uPlot between them. */
import { DASHES, faded, type Ink } from "./colors";
import { FONT, axisOf, placeX, placeY, ticksOf, widthOf, xTicks, type Axis, type Frame } from "./layout";
import { shown, type ChartData, type Line } from "./types";

export const FAMILY = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';

/** Draws in CSS pixels: the context must be scaled by the pixel ratio. */
export function drawAxes(context: CanvasRenderingContext2D, frame: Frame, data: ChartData, ink: Ink): void {
  context.save();
  context.font = `${FONT}px ${FAMILY}`;
  context.lineWidth = 1;
  if (data.x.upright) {
    drawHeights(context, frame, data, ink);
    frame.axes.forEach((axis, n) => drawBelow(context, frame, axis, n, data, ink));
  } else {
    drawTimes(context, frame, data, ink);
    frame.axes.forEach((axis, n) => drawBeside(context, frame, axis, n, data, ink));
  }
  context.strokeStyle = ink.edge;
  context.strokeRect(
    half(frame.plot.left),
    half(frame.plot.top),
    Math.round(frame.plot.width),
    Math.round(frame.plot.height),
  );
  context.restore();
}

const half = (value: number): number => Math.round(value) + 0.5;

function rule(context: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  context.stroke();
}

function drawTimes(context: CanvasRenderingContext2D, frame: Frame, data: ChartData, ink: Ink): void {
  const { left, top, width, height } = frame.plot;
  context.textBaseline = "top";
  let free = -Infinity;
  for (const tick of xTicks(data, frame.x.low, frame.x.high, width)) {
    const x = placeX(frame, data, tick.at);
    context.strokeStyle = ink.grid;
    rule(context, half(x), top, half(x), top + height);
    const lines = tick.words.split("\n");
    const [start, end] = [x - widthOf(tick.words) / 2, x + widthOf(tick.words) / 2];
    if (start < free) continue; // rather none than two over each other
    free = end + 4;
    context.fillStyle = ink.faint;
    context.textAlign = start < 0 ? "left" : end > frame.width ? "right" : "center";
    const anchor = start < 0 ? 0 : end > frame.width ? frame.width : x;
    lines.forEach((line, n) => context.fillText(line, anchor, top + height + 5 + n * (FONT + 3)));
  }
  if (data.x.kind !== "number") return;
  context.textAlign = "right";
  context.fillStyle = ink.faint;
  context.fillText(titleOf(data), left + width, top + height + 5 + FONT + 3);
}

const titleOf = (data: ChartData): string => `${data.x.title}${data.x.units ? ` (${data.x.units})` : ""}`;

function drawBeside(
  context: CanvasRenderingContext2D,
  frame: Frame,
  axis: Axis,
  n: number,
  data: ChartData,
  ink: Ink,
): void {
  const { left, top, width, height } = frame.plot;
  const own = axis.color !== null && frame.axes.length > 1 ? ink.lines[axis.color % ink.lines.length]! : ink.faint;
  context.textBaseline = "middle";
  for (const tick of ticksOf(axis.low, axis.high, height, 34)) {
    const y = placeY(frame, data, axis, tick.at);
    if (n === 0) {
      context.strokeStyle = ink.grid;
      rule(context, left, half(y), left + width, half(y));
    }
    context.fillStyle = own;
    context.textAlign = n === 0 ? "right" : "left";
    context.fillText(tick.words, n === 0 ? left - 6 : left + width + 6 + (n - 1) * 52, y);
  }
  context.textBaseline = "bottom";
  context.textAlign = n === 0 ? "left" : "right";
  context.fillStyle = own;
  if (n < 2)
    context.fillText(clipped(axis.title, (frame.width / frame.axes.length) * 0.95), n === 0 ? 0 : frame.width, top - 5);
}

function drawHeights(context: CanvasRenderingContext2D, frame: Frame, data: ChartData, ink: Ink): void {
  const { left, top, width, height } = frame.plot;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const tick of xTicks(data, frame.x.low, frame.x.high, height)) {
    const y = placeX(frame, data, tick.at);
    context.strokeStyle = ink.grid;
    rule(context, left, half(y), left + width, half(y));
    context.fillStyle = ink.faint;
    context.fillText(tick.words, left - 6, y);
  }
  context.textBaseline = "bottom";
  context.textAlign = "left";
  context.fillText(titleOf(data), 0, top - 6);
}

function drawBelow(
  context: CanvasRenderingContext2D,
  frame: Frame,
  axis: Axis,
  n: number,
  data: ChartData,
  ink: Ink,
): void {
  const { left, top, width, height } = frame.plot;
  const base = top + height + 5 + n * 34;
  context.textBaseline = "top";
  context.textAlign = "center";
  for (const tick of ticksOf(axis.low, axis.high, width, 60)) {
    const x = placeY(frame, data, axis, tick.at);
    if (n === 0) {
      context.strokeStyle = ink.grid;
      rule(context, half(x), top, half(x), top + height);
    }
    context.fillStyle = ink.faint;
    context.fillText(tick.words, x, base);
  }
  context.textAlign = "right";
  context.fillStyle =
    axis.color !== null && frame.axes.length > 1 ? ink.lines[axis.color % ink.lines.length]! : ink.faint;
  context.fillText(clipped(axis.title, width), left + width, base + FONT + 3);
}

export const clipped = (words: string, width: number): string => {
  const most = Math.floor(width / (FONT * 0.54));
  return words.length > most ? `${words.slice(0, Math.max(1, most - 1))}\u2026` : words;
};

/** The spread around lines, under them. */
export function drawSpread(context: CanvasRenderingContext2D, frame: Frame, data: ChartData, ink: Ink): void {
  for (const line of data.lines) {
    const axis = frame.axes.find((one) => one.key === axisOf(line));
    if (!line.low || !line.high || !axis) continue;
    context.fillStyle = faded(ink.lines[line.color % ink.lines.length]!, 0.18);
    for (const [from, to] of stretches(line)) {
      context.beginPath();
      for (let n = from; n <= to; n++) corner(context, frame, data, axis, line, n, line.high[n]!);
      for (let n = to; n >= from; n--) corner(context, frame, data, axis, line, n, line.low[n]!);
      context.closePath();
      context.fill();
    }
  }
}

function corner(
  context: CanvasRenderingContext2D,
  frame: Frame,
  data: ChartData,
  axis: Axis,
  line: Line,
  n: number,
  value: number,
): void {
  const along = placeX(frame, data, line.x[n]!);
  const across = placeY(frame, data, axis, shown(value, line.unit));
  context.lineTo(data.x.upright ? across : along, data.x.upright ? along : across);
}

/** Parts of a line where its spread is known. */
export function stretches(line: Line): [from: number, to: number][] {
  const found: [number, number][] = [];
  let from = -1;
  for (let n = 0; n <= line.x.length; n++) {
    const isThere = n < line.x.length && line.low?.[n] != null && line.high?.[n] != null;
    if (isThere && from < 0) from = n;
    if (!isThere && from >= 0) {
      found.push([from, n - 1]);
      from = -1;
    }
  }
  return found;
}

/** How a line is drawn, on the screen and in files. */
export function strokeOf(line: Line, ink: Ink): { color: string; width: number; dash: readonly number[] } {
  const color = ink.lines[line.color % ink.lines.length]!;
  if (line.weight === "thin") return { color: faded(color, 0.45), width: 0.8, dash: [] };
  return { color, width: line.weight === "strong" ? 2.4 : 1.6, dash: DASHES[line.dash % DASHES.length]! };
}
