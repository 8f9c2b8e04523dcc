/** What a chart shows: plain data that the screen, the table, the summary and the files are all made of. */

/** How a value is written for people: `shown = value * scale + offset`; differences have no offset. */
export interface Unit {
  /** As the data spell it. */
  from: string;
  label: string;
  scale: number;
  offset: number;
}

export interface Line {
  key: string;
  /** What it is of, for people: "Sea surface temperature". */
  what: string;
  /** Where it is of: "Lisbon"; empty for lines that need no place. */
  where: string;
  /** Which one of several alike: "member 3", "mean of 13". */
  which: string;
  unit: Unit;
  /** Number of a chart colour, from 0. */
  color: number;
  /** Number of a dash pattern, from 0: solid. */
  dash: number;
  weight: "usual" | "thin" | "strong";
  /** Ascending. Milliseconds where the axis is of time. */
  x: readonly number[];
  /** The exact words for each x (times); none: the number itself. */
  words?: readonly string[];
  /** In the data's own units, as the server wrote them; null is missing. */
  y: readonly (number | null)[];
  /** Spread around the line, in the data's own units. */
  low?: readonly (number | null)[];
  high?: readonly (number | null)[];
  /** Further columns of tables: collection, variable, longitude, latitude, number. */
  facts: Record<string, string | number | null>;
}

export interface XAxis {
  kind: "time" | "number" | "month";
  title: string;
  units: string;
  /** Profiles: the axis stands upright; pressure grows downwards. */
  upright: boolean;
  down: boolean;
}

/** Whom to thank, and how to find the values again. */
export interface Credit {
  source: string;
  licence: string;
  /** One line that names collection, version and request. */
  receipt: string;
}

export interface ChartData {
  title: string;
  x: XAxis;
  lines: Line[];
  credits: Credit[];
  /** Sentences that belong under the picture: how it was averaged, a calendar. */
  notes: string[];
}

/** Values on distance (x) and time (y, downwards). */
export interface HeatData {
  title: string;
  what: string;
  unit: Unit;
  /** Middle of each column, ascending; in `xUnits`. */
  x: readonly number[];
  xTitle: string;
  xUnits: string;
  /** Positions of the rows, ascending: milliseconds of civil time, or numbers. */
  y: readonly number[];
  yKind: "time" | "number";
  yTitle: string;
  words: readonly string[];
  /** Row by row. */
  values: readonly (number | null)[];
  /** 256 colours, RGB. */
  colors: Uint8Array;
  /** Of the colours, in the data's own units. */
  range: [number, number];
  credits: Credit[];
  notes: string[];
}

export interface BarsData {
  title: string;
  what: string;
  unit: Unit;
  /** One more than shares, ascending, in the data's own units. */
  edges: readonly number[];
  /** Share of the area in each bar, 0 to 1. */
  shares: readonly number[];
  yTitle: string;
  /** Lines over the bars: the mean, quantiles. */
  marks: { label: string; value: number }[];
  credits: Credit[];
  notes: string[];
}

/** A value of the data as it is shown, without the dust of binary fractions. */
export function shown(value: number, unit: Unit): number {
  if (unit.scale === 1 && unit.offset === 0) return value;
  const made = value * unit.scale + unit.offset;
  return made === 0 || !Number.isFinite(made) ? made : Number(made.toPrecision(12));
}
