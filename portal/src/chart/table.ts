/** Charts as tables: for people in the shown units, for programs with the values exactly as the server wrote them. */
import { text } from "../text/en";
import { grainFor, indexAt, nameFor, positions, spokenAt, wordsAt } from "./reading";
import { plain } from "./ticks";
import { shown, type BarsData, type ChartData, type HeatData, type XAxis } from "./types";
import { spoken } from "../state/instants";

export interface Table {
  columns: string[];
  count: number;
  row(index: number): string[];
}

export const xTitle = (axis: XAxis): string =>
  axis.kind === "time" ? text.probe.time : axis.kind === "month" ? text.probe.month : named(axis.title, axis.units);

const named = (title: string, units: string): string => (units ? `${title} (${units})` : title);

const cell = (value: number | null | undefined): string => (value === null || value === undefined ? "" : plain(value));

/** One row for each position, one column for each line. */
export function tableOf(data: ChartData): Table {
  const at = positions(data.lines);
  const grain = grainFor(data.lines);
  const columns = data.lines.map((line) => named(nameFor(line, data.lines), line.unit.label));
  return {
    columns: [xTitle(data.x), ...columns],
    count: at.length,
    row: (index) => {
      const here = at[index]!;
      const values = data.lines.map((line) => {
        const found = indexAt(line, here, 0);
        const value = found < 0 || line.x[found] !== here ? null : line.y[found];
        return cell(value == null ? null : shown(value, line.unit));
      });
      return [spokenAt(data.x, wordsAt(data, here), grain), ...values];
    },
  };
}

export function heatTable(data: HeatData): Table {
  const unit = data.unit.label;
  return {
    columns: [data.yTitle, named(data.xTitle, data.xUnits), named(data.what, unit)],
    count: data.values.length,
    row: (index) => {
      const [y, x] = [Math.floor(index / data.x.length), index % data.x.length];
      const value = data.values[index];
      const words = data.words[y] ?? "";
      const time = data.yKind === "time" ? spoken(words) : words;
      return [time, plain(data.x[x]!), cell(value == null ? null : shown(value, data.unit))];
    },
  };
}

export function barsTable(data: BarsData): Table {
  const edge = (n: number): string => plain(shown(data.edges[n]!, data.unit));
  return {
    columns: [named(data.what, data.unit.label), data.yTitle],
    count: data.shares.length,
    row: (index) => [
      text.probe.stats.barRange(edge(index), edge(index + 1)),
      `${(data.shares[index]! * 100).toFixed(2)} %`,
    ],
  };
}

/** A field of CSV (RFC 4180). Numbers are written as short as they are exact: the text that the server wrote. */
function field(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  const said = String(value);
  return /[",\r\n]/.test(said) ? `"${said.replaceAll('"', '""')}"` : said;
}

const lines = (rows: (string | number | null | undefined)[][]): string =>
  rows.map((row) => row.map(field).join(",") + "\n").join("");

/** Every value of every line, a row each, in the data's own units. */
export function csvOf(data: ChartData): string {
  const facts = [...new Set(data.lines.flatMap((one) => Object.keys(one.facts)))];
  const used = facts.filter((name) => data.lines.some((one) => one.facts[name] !== null && one.facts[name] !== ""));
  const hasSpread = data.lines.some((one) => one.low);
  const along =
    data.x.kind === "time"
      ? "time"
      : data.x.kind === "month"
        ? "month"
        : data.x.title.toLowerCase().replace(/\W+/g, "_");
  const head = [...used, "unit", along, "value", ...(hasSpread ? ["low", "high"] : [])];
  const rows = data.lines.flatMap((line) =>
    Array.from(line.x, (x, n) => [
      ...used.map((name) => line.facts[name] ?? null),
      line.unit.from,
      line.words?.[n] ?? x,
      line.y[n] ?? null,
      ...(hasSpread ? [line.low?.[n] ?? null, line.high?.[n] ?? null] : []),
    ]),
  );
  return lines([head, ...rows]);
}

export function heatCsv(data: HeatData): string {
  const along = data.yKind === "time" ? "time" : data.yTitle.toLowerCase().replace(/\W+/g, "_");
  const rows = data.values.map((value, index) => [
    data.words[Math.floor(index / data.x.length)],
    data.x[index % data.x.length],
    value,
  ]);
  return lines([[along, `${data.xTitle}_${data.xUnits}`.toLowerCase(), "value"], ...rows]);
}

export function barsCsv(data: BarsData): string {
  const rows = data.shares.map((share, n) => [data.edges[n], data.edges[n + 1], share]);
  return lines([["from", "to", "share_of_area"], ...rows]);
}
