/** Charts as SVG files: the same layout as on the screen, with title, legend, source, licence and receipt. Pure. */
import { text } from "../text/en";
import type { Ink } from "./colors";
import { clipped, stretches, strokeOf } from "./drawing";
import { FONT, axisOf, frameOf, placeX, placeY, ticksOf, widthOf, xTicks, type Axis, type Frame } from "./layout";
import { nameFor } from "./reading";
import { numberTicks, plain, timeTicks } from "./ticks";
import { shown, type BarsData, type ChartData, type Credit, type HeatData, type Line } from "./types";

const FAMILY = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif";
const ROW = FONT + 5;

/** Text as XML holds it; what XML cannot hold at all is left out. */
export const escaped = (words: string): string =>
  words
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);

const n2 = (value: number): string => String(Math.round(value * 100) / 100);

type Anchor = "start" | "middle" | "end";

function words(x: number, y: number, said: string, color: string, anchor: Anchor = "start", more = ""): string {
  return `<text x="${n2(x)}" y="${n2(y)}" fill="${color}" text-anchor="${anchor}"${more}>${escaped(said)}</text>`;
}

const rule = (x0: number, y0: number, x1: number, y1: number, color: string): string =>
  `<path d="M${n2(x0)} ${n2(y0)}L${n2(x1)} ${n2(y1)}" stroke="${color}"/>`;

/** Title above, notes and credits below, the picture between. */
function sheet(
  said: { title: string; notes: readonly string[]; credits: readonly Credit[] },
  width: number,
  height: number,
  ink: Ink,
  picture: string,
): string {
  const below = footer(said, width);
  const whole = 34 + height + 10 + below.length * ROW + 10;
  const foot = below.map((line, n) => words(12, 34 + height + 10 + (n + 1) * ROW - 4, line, ink.faint)).join("");
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${whole}" viewBox="0 0 ${width} ${whole}" ` +
    `font-family="${FAMILY}" font-size="${FONT}" role="img" aria-label="${escaped(said.title)}">` +
    `<title>${escaped(said.title)}</title><desc>${escaped(below.join(" "))}</desc>` +
    `<rect width="${width}" height="${whole}" fill="${ink.panel}"/>` +
    words(12, 22, clipped(said.title, (width - 24) * 0.78), ink.ink, "start", ' font-size="15" font-weight="600"') +
    `<g transform="translate(0 34)">${picture}</g>${foot}</svg>`
  );
}

/** Notes and credits, broken into lines that fit. */
export function footer(said: { notes: readonly string[]; credits: readonly Credit[] }, width: number): string[] {
  const credits = said.credits.flatMap((one) => [creditLine(one), one.receipt]);
  return [...said.notes, ...new Set(credits)].flatMap((line) => broken(line, width - 24));
}

/** Whom to thank, in one line. */
export function creditLine(one: Credit): string {
  const source = one.source.trim().replace(/\.+$/, "");
  return `${text.probe.source}: ${source}. ${text.probe.licence}: ${one.licence || text.probe.unknownLicence}.`;
}

function broken(line: string, width: number): string[] {
  const most = Math.max(10, Math.floor(width / (FONT * 0.54)));
  const found: string[] = [];
  let row = "";
  for (const word of line.split(" ").flatMap((one) => one.match(new RegExp(`.{1,${most}}`, "gsu")) ?? [])) {
    if (row && row.length + 1 + word.length > most) {
      found.push(row);
      row = word;
    } else row = row ? `${row} ${word}` : word;
  }
  return row ? [...found, row] : found;
}

/** Lines over time, distance or height. */
export function chartSvg(data: ChartData, ink: Ink, width = 900, height = 420): string {
  const told = data.lines.filter((one) => one.weight !== "thin");
  const frame = frameOf(data, width - 24, height);
  const { left, top, width: across, height: down } = frame.plot;
  const clip = `<clipPath id="c"><rect x="${n2(left)}" y="${n2(top)}" width="${n2(across)}" height="${n2(down)}"/></clipPath>`;
  const picture =
    clip +
    (data.x.upright ? uprightAxes(frame, data, ink) : levelAxes(frame, data, ink)) +
    `<g clip-path="url(#c)">${data.lines.map((one) => spreadPath(one, frame, data, ink)).join("")}` +
    `${data.lines.map((one) => linePath(one, frame, data, ink)).join("")}</g>` +
    `<rect x="${n2(left)}" y="${n2(top)}" width="${n2(across)}" height="${n2(down)}" fill="none" stroke="${ink.edge}"/>`;
  const rows = told.map((line, n) => legendRow(line, told, ink, height + 14 + n * ROW));
  return sheet(
    data,
    width,
    height + 14 + rows.length * ROW,
    ink,
    `<g transform="translate(12 0)">${picture}${rows.join("")}</g>`,
  );
}

function levelAxes(frame: Frame, data: ChartData, ink: Ink): string {
  const { left, top, width, height } = frame.plot;
  let made = "";
  let free = -Infinity;
  for (const tick of xTicks(data, frame.x.low, frame.x.high, width)) {
    const x = placeX(frame, data, tick.at);
    made += rule(x, top, x, top + height, ink.grid);
    const half = widthOf(tick.words) / 2;
    if (x - half < free) continue;
    free = x + half + 4;
    tick.words
      .split("\n")
      .forEach((line, n) => (made += words(x, top + height + 15 + n * 14, line, ink.faint, "middle")));
  }
  if (data.x.kind === "number")
    made += words(
      left + width,
      top + height + 29,
      `${data.x.title}${data.x.units ? ` (${data.x.units})` : ""}`,
      ink.faint,
      "end",
    );
  frame.axes.forEach((axis, n) => (made += besideAxis(frame, axis, n, data, ink)));
  return made;
}

function besideAxis(frame: Frame, axis: Axis, n: number, data: ChartData, ink: Ink): string {
  const { left, top, width, height } = frame.plot;
  const own = axis.color !== null && frame.axes.length > 1 ? ink.lines[axis.color % ink.lines.length]! : ink.faint;
  const made = ticksOf(axis.low, axis.high, height, 34).map((tick) => {
    const y = placeY(frame, data, axis, tick.at);
    const line = n === 0 ? rule(left, y, left + width, y, ink.grid) : "";
    const x = n === 0 ? left - 6 : left + width + 6 + (n - 1) * 52;
    return line + words(x, y + 4, tick.words, own, n === 0 ? "end" : "start");
  });
  const title = clipped(axis.title, (frame.width / frame.axes.length) * 0.95);
  return (
    made.join("") + (n < 2 ? words(n === 0 ? 0 : frame.width, top - 6, title, own, n === 0 ? "start" : "end") : "")
  );
}

function uprightAxes(frame: Frame, data: ChartData, ink: Ink): string {
  const { left, top, width, height } = frame.plot;
  const heights = xTicks(data, frame.x.low, frame.x.high, height).map((tick) => {
    const y = placeX(frame, data, tick.at);
    return rule(left, y, left + width, y, ink.grid) + words(left - 6, y + 4, tick.words, ink.faint, "end");
  });
  const below = frame.axes.map((axis, n) => {
    const base = top + height + 15 + n * 34;
    const marks = ticksOf(axis.low, axis.high, width, 60).map((tick) => {
      const x = placeY(frame, data, axis, tick.at);
      return (n === 0 ? rule(x, top, x, top + height, ink.grid) : "") + words(x, base, tick.words, ink.faint, "middle");
    });
    return marks.join("") + words(left + width, base + 14, clipped(axis.title, width), ink.faint, "end");
  });
  const title = `${data.x.title}${data.x.units ? ` (${data.x.units})` : ""}`;
  return heights.join("") + below.join("") + words(0, top - 7, title, ink.faint);
}

function corner(line: Line, frame: Frame, data: ChartData, axis: Axis, n: number, value: number): string {
  const along = placeX(frame, data, line.x[n]!);
  const across = placeY(frame, data, axis, shown(value, line.unit));
  return data.x.upright ? `${n2(across)} ${n2(along)}` : `${n2(along)} ${n2(across)}`;
}

const axisFor = (line: Line, frame: Frame): Axis =>
  frame.axes.find((one) => one.key === axisOf(line)) ?? frame.axes[0]!;

/** The path of a line; missing values are gaps, and a value between two gaps is a dot. */
export function linePath(line: Line, frame: Frame, data: ChartData, ink: Ink): string {
  const { color, width, dash } = strokeOf(line, ink);
  const axis = axisFor(line, frame);
  let path = "";
  let dots = "";
  let isOpen = false;
  for (let n = 0; n < line.x.length; n++) {
    const value = line.y[n];
    if (value === null || value === undefined) {
      isOpen = false;
      continue;
    }
    const place = corner(line, frame, data, axis, n, value);
    path += `${isOpen ? "L" : "M"}${place}`;
    if (!isOpen && (line.y[n + 1] === null || line.y[n + 1] === undefined)) {
      const [x, y] = place.split(" ");
      dots += `<circle cx="${x}" cy="${y}" r="2.5" fill="${color}"/>`;
    }
    isOpen = true;
  }
  const dashes = dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "";
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linejoin="round"${dashes}/>${dots}`;
}

function spreadPath(line: Line, frame: Frame, data: ChartData, ink: Ink): string {
  if (!line.low || !line.high) return "";
  const axis = axisFor(line, frame);
  const parts = stretches(line).map(([from, to]) => {
    const places = [];
    for (let n = from; n <= to; n++) places.push(corner(line, frame, data, axis, n, line.high![n]!));
    for (let n = to; n >= from; n--) places.push(corner(line, frame, data, axis, n, line.low![n]!));
    return `M${places.join("L")}Z`;
  });
  return `<path d="${parts.join("")}" fill="${ink.lines[line.color % ink.lines.length]}" fill-opacity="0.18"/>`;
}

function legendRow(line: Line, told: readonly Line[], ink: Ink, y: number): string {
  const { color, width, dash } = strokeOf(line, ink);
  const dashes = dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "";
  const unit = line.unit.label ? ` (${line.unit.label})` : "";
  return (
    `<path d="M0 ${n2(y)}h28" stroke="${color}" stroke-width="${width}"${dashes}/>` +
    words(36, y + 4, `${nameFor(line, told)}${unit}`, ink.ink)
  );
}

/** Distance and time, a rectangle for each value. */
export function heatSvg(data: HeatData, ink: Ink, width = 900, height = 460): string {
  const [left, top, right, bottom] = [96, 8, 86, 36];
  const [across, down] = [width - left - right, height - top - bottom];
  const [columns, rows] = [edges(data.x), edges(data.y)];
  const place = (all: number[], at: number, size: number): number =>
    ((at - all[0]!) / (all.at(-1)! - all[0]! || 1)) * size;
  const cells: string[] = [];
  data.y.forEach((_, y) => {
    const [y0, y1] = [place(rows, rows[y]!, down), place(rows, rows[y + 1]!, down)];
    data.x.forEach((_, x) => {
      const value = data.values[y * data.x.length + x];
      if (value == null) return;
      const [x0, x1] = [place(columns, columns[x]!, across), place(columns, columns[x + 1]!, across)];
      const rect = `x="${n2(left + x0)}" y="${n2(top + y0)}" width="${n2(x1 - x0 + 0.3)}" height="${n2(y1 - y0 + 0.3)}"`;
      cells.push(`<rect ${rect} fill="${colorAt(data, value)}"/>`);
    });
  });
  const picture =
    `<rect x="${left}" y="${top}" width="${across}" height="${down}" fill="${ink.missing}"/>${cells.join("")}` +
    heatAxes(data, ink, { left, top, across, down }, columns, rows) +
    colorBar(data, ink, left + across + 16, top, down);
  return sheet(data, width, height, ink, picture);
}

interface Box {
  left: number;
  top: number;
  across: number;
  down: number;
}

function heatAxes(data: HeatData, ink: Ink, box: Box, columns: number[], rows: number[]): string {
  const { left, top, across, down } = box;
  const [x0, x1, y0, y1] = [columns[0]!, columns.at(-1)!, rows[0]!, rows.at(-1)!];
  const below = numberTicks(x0, x1, 8).map(({ at, words: said }) =>
    words(left + ((at - x0) / (x1 - x0 || 1)) * across, top + down + 16, said, ink.faint, "middle"),
  );
  const beside = (data.yKind === "time" ? timeTicks(y0, y1, 8) : numberTicks(y0, y1, 8)).map(({ at, words: said }) =>
    words(left - 8, top + ((at - y0) / (y1 - y0 || 1)) * down + 4, said.replace("\n", " "), ink.faint, "end"),
  );
  const title = words(left + across, top + down + 31, `${data.xTitle} (${data.xUnits})`, ink.faint, "end");
  return below.join("") + beside.join("") + title;
}

function colorBar(data: HeatData, ink: Ink, x: number, y: number, height: number): string {
  const bands = Array.from({ length: 64 }, (_, n) => {
    const value = data.range[1] + ((data.range[0] - data.range[1]) * (n + 0.5)) / 64;
    return `<rect x="${n2(x)}" y="${n2(y + (n * height) / 64)}" width="14" height="${n2(height / 64 + 0.3)}" fill="${colorAt(data, value)}"/>`;
  });
  const [low, high] = data.range.map((one) => shown(one, data.unit)) as [number, number];
  const marks = numberTicks(Math.min(low, high), Math.max(low, high), 6).map(({ at, words: said }) =>
    words(x + 19, y + ((at - high) / (low - high || 1)) * height + 4, said, ink.faint),
  );
  return bands.join("") + marks.join("") + words(x - 2, y + height + 16, data.unit.label, ink.faint);
}

/** The colour of a value, in the data's own units; outside the range the first and the last. */
export function colorAt(data: Pick<HeatData, "colors" | "range">, value: number): string {
  const n = colorIndex(data.range, value) * 3;
  return `rgb(${data.colors[n]},${data.colors[n + 1]},${data.colors[n + 2]})`;
}

export function colorIndex([low, high]: readonly [number, number], value: number): number {
  const share = high === low ? (value >= high ? 1 : 0) : (value - low) / (high - low);
  return Math.max(0, Math.min(255, Math.round(share * 255)));
}

/** Borders between positions: half way between neighbours. */
export function edges(at: readonly number[]): number[] {
  if (at.length < 2) return at.length ? [at[0]! - 0.5, at[0]! + 0.5] : [0, 1];
  const inner = at.slice(1).map((one, n) => (at[n]! + one) / 2);
  return [at[0]! - (inner[0]! - at[0]!), ...inner, at.at(-1)! + (at.at(-1)! - inner.at(-1)!)];
}

/** Shares of an area by value. */
export function barsSvg(data: BarsData, ink: Ink, width = 900, height = 360): string {
  const [left, top, right, bottom] = [52, 22, 16, 36];
  const [across, down] = [width - left - right, height - top - bottom];
  const all = data.edges.map((one) => shown(one, data.unit));
  const [low, high] = [all[0] ?? 0, all.at(-1) ?? 1];
  const most = Math.max(0, ...data.shares) * 100 || 1;
  const x = (value: number): number => left + ((value - low) / (high - low || 1)) * across;
  const bars = data.shares.map((share, n) => {
    const tall = ((share * 100) / most) * down;
    const rect = `x="${n2(x(all[n]!))}" y="${n2(top + down - tall)}" width="${n2(Math.max(0.5, x(all[n + 1]!) - x(all[n]!) - 1))}" height="${n2(tall)}"`;
    return `<rect ${rect} fill="${ink.lines[0]}"/>`;
  });
  const below = numberTicks(low, high, 8).map(({ at, words: said }) =>
    words(x(at), top + down + 16, said, ink.faint, "middle"),
  );
  const beside = numberTicks(0, most, 5).map(({ at, words: said }) => {
    const y = top + down - (at / most) * down;
    return rule(left, y, left + across, y, ink.grid) + words(left - 6, y + 4, said, ink.faint, "end");
  });
  const marks = data.marks.map((one, n) => {
    const place = x(shown(one.value, data.unit));
    return (
      `<path d="M${n2(place)} ${top}v${down}" stroke="${ink.ink}" stroke-dasharray="4 3"/>` +
      words(place + 4, top + 12 + n * ROW, `${one.label} ${plain(shown(one.value, data.unit))}`, ink.ink)
    );
  });
  const title = `${data.what}${data.unit.label ? ` (${data.unit.label})` : ""}`;
  const picture =
    beside.join("") +
    bars.join("") +
    below.join("") +
    marks.join("") +
    words(left + across, top + down + 31, title, ink.faint, "end") +
    words(4, 12, `${data.yTitle} (%)`, ink.faint);
  return sheet(data, width, height, ink, picture);
}
