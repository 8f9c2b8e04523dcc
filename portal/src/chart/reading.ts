/** Finding one's way in lines: the value at a place, what lines are called, and a chart in words. Pure. */
import { text } from "../text/en";
import { grainOf, spoken, type Grain } from "../state/instants";
import { plain } from "./ticks";
import { shown, type ChartData, type Line, type XAxis } from "./types";

/** Index of the element nearest to a position in an ascending list; -1 in an empty one. */
export function nearestIndex(x: ArrayLike<number>, at: number): number {
  if (!x.length) return -1;
  let [low, high] = [0, x.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle]! <= at) low = middle;
    else high = middle;
  }
  return at - x[low]! <= x[high]! - at ? low : high;
}

/** Usual distance of neighbours. */
export function spacing(x: ArrayLike<number>): number {
  return x.length > 1 ? (x[x.length - 1]! - x[0]!) / (x.length - 1) : 0;
}

/** Which value of a line belongs to a position: the nearest, unless the line has none near. */
export function indexAt(line: Line, at: number, tolerance: number): number {
  const found = nearestIndex(line.x, at);
  if (found < 0) return -1;
  return Math.abs(line.x[found]! - at) <= Math.max(tolerance, spacing(line.x) * 0.75) ? found : -1;
}

/** All positions of all lines, each once, ascending. */
export function positions(lines: readonly Line[]): number[] {
  const first = lines[0]?.x ?? [];
  if (lines.every((one) => isSame(one.x, first))) return [...first];
  return [...new Set(lines.flatMap((one) => one.x as number[]))].sort((a, b) => a - b);
}

export function isSame(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let n = 0; n < a.length; n++) if (a[n] !== b[n]) return false;
  return true;
}

/** The words for a position: those of the line that has it. */
export function wordsAt(data: ChartData, at: number): string {
  for (const line of data.lines) {
    const found = nearestIndex(line.x, at);
    if (found >= 0 && line.x[found] === at) return line.words?.[found] ?? String(at);
  }
  return String(at);
}

/** How finely the times of a chart are told apart. */
export function grainFor(lines: readonly Line[]): Grain {
  const steps = lines.map((one) => spacing(one.x)).filter((one) => one > 0);
  return steps.length ? grainOf(Math.min(...steps) * 0.99) : "minute";
}

/** A position for people. */
export function spokenAt(axis: XAxis, words: string, grain: Grain): string {
  if (axis.kind === "time") return spoken(words, grain === "year" || grain === "month" ? "day" : grain);
  if (axis.kind === "month") return text.probe.months[Number(words) - 1] ?? words;
  const value = Number(words);
  return `${Number.isFinite(value) ? plain(value) : words}${axis.units ? ` ${axis.units}` : ""}`;
}

/** A value with its unit. */
export function valueText(value: number | null | undefined, line: Pick<Line, "unit">): string {
  if (value === null || value === undefined) return text.probe.missing;
  return `${plain(shown(value, line.unit))}${line.unit.label ? ` ${line.unit.label}` : ""}`;
}

/** What tells a line from the others: only the parts that differ, and always something. */
export function nameFor(line: Line, lines: readonly Line[]): string {
  const differ = (part: "what" | "where" | "which"): boolean => lines.some((one) => one[part] !== line[part]);
  const parts = (["what", "where", "which"] as const).filter(
    (part) => line[part] && (differ(part) || part === "which"),
  );
  const said = parts.map((part) => line[part]).join(", ");
  return said || line.where || line.what;
}

export interface Summary {
  line: Line;
  first: string;
  last: string;
  count: number;
  missing: number;
  low: { value: number; at: string } | null;
  high: { value: number; at: string } | null;
  mean: number | null;
}

export function summaryOf(line: Line): Summary {
  let [low, high, sum, count] = [-1, -1, 0, 0];
  line.y.forEach((value, n) => {
    if (value === null) return;
    if (low < 0 || value < line.y[low]!) low = n;
    if (high < 0 || value > line.y[high]!) high = n;
    sum += value;
    count += 1;
  });
  const at = (n: number): string => line.words?.[n] ?? String(line.x[n]);
  return {
    line,
    first: line.x.length ? at(0) : "",
    last: line.x.length ? at(line.x.length - 1) : "",
    count,
    missing: line.y.length - count,
    low: low < 0 ? null : { value: line.y[low]!, at: at(low) },
    high: high < 0 ? null : { value: line.y[high]!, at: at(high) },
    mean: count ? sum / count : null,
  };
}

/** The chart in words, a sentence a line; for those who do not see it, and for titles of files. */
export function inWords(data: ChartData): string[] {
  const grain = grainFor(data.lines);
  const told = data.lines.filter((one) => one.weight !== "thin");
  return told.map((line) => {
    const { first, last, count, missing, low, high, mean } = summaryOf(line);
    const name = nameFor(line, told);
    if (!low || !high) return text.probe.summaryNone(name, line.y.length);
    return text.probe.summary({
      name,
      count: line.y.length,
      missing,
      from: spokenAt(data.x, first, grain),
      to: spokenAt(data.x, last, grain),
      low: valueText(low.value, line),
      lowAt: spokenAt(data.x, low.at, grain),
      high: valueText(high.value, line),
      highAt: spokenAt(data.x, high.at, grain),
      mean: count > 1 ? valueText(mean, line) : null,
    });
  });
}
