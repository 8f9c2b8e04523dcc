/** From answers to lines: series at places and over areas, ensembles, anomalies. Pure. */
import { columns, type Column, type Coverages } from "../api/edr";
import type { Credit, Line, Unit } from "../chart/types";
import { fieldsOf, positionsOf } from "../state/instants";
import { text } from "../text/en";
import type { ProbeView } from "../state/view";
import { alongOf, membersOf, type Subject } from "./requests";
import { colorOf, nameOf } from "./shapes";

/** How lines look: by layer and place. */
export interface Look {
  color: number;
  dash: number;
}

/** With one layer colours are places, as on the map; with several they are layers, and dashes are places. */
export function lookOf(subject: Subject, probe: ProbeView, subjects: number, places: readonly string[]): Look {
  if (subjects === 1) return { color: colorOf(probe), dash: 0 };
  return { color: subject.color, dash: Math.max(0, places.indexOf(probe.id)) };
}

export function unitFor(subject: Subject, isDifference = false): Unit {
  const { unit } = subject.drawn;
  // bands of a picture have units of their own; the chosen one is of the first
  const isOwn = subject.variable.name === subject.drawn.variable.name;
  const { scale, offset, label } = isOwn ? unit : { scale: 1, offset: 0, label: subject.variable.units };
  return { from: subject.variable.units, label, scale, offset: isDifference ? 0 : offset };
}

/** What a subject is called where several collections may have a variable of the same name. */
export function titleOf(subject: Subject, subjects: readonly Subject[]): string {
  const own = plainTitle(subject);
  const isShared = subjects.some((one) => one.key !== subject.key && plainTitle(one) === own);
  // "t" says little, whatever stands beside it
  return isShared || own.length < 3 ? `${own}, ${subject.drawn.tileset.title}` : own;
}

/** A variable as people write it: names of files have underscores. */
export function plainTitle({ variable }: Subject): string {
  const own = (variable.title || variable.name).replaceAll("_", " ").trim();
  return own.charAt(0).toUpperCase() + own.slice(1);
}

/** The twelve monthly values of a climatology: along a month axis, or times of which each stands for its month. */
export function monthsFrom(answer: Coverages, variable: string): (number | null)[] {
  const byAxis = columns(answer, variable, "month")[0];
  const found = byAxis ?? columns(answer, variable, "t")[0];
  const months: (number | null)[] = Array.from({ length: 12 }, () => null);
  found?.at.forEach((one, n) => {
    const month = byAxis ? Number(one) : (fieldsOf(String(one))?.month ?? 0);
    if (month >= 1 && month <= 12) months[month - 1] = found.values[n] ?? null;
  });
  return months;
}

/** The same, for each member of an ensemble. */
export function monthsByMember(answer: Coverages, variable: string): Map<string, (number | null)[]> {
  const found = new Map<string, (number | null)[]>();
  for (const column of columns(answer, variable, "t")) {
    const months: (number | null)[] = Array.from({ length: 12 }, () => null);
    column.at.forEach((one, n) => {
      const month = fieldsOf(String(one))?.month;
      if (month) months[month - 1] = column.values[n] ?? null;
    });
    found.set(memberKey(column), months);
  }
  return found;
}

/** By the member alone: what is reduced lacks axes that the values have. */
export const memberKey = (column: Column): string => String(column.labels.number ?? "");

export interface Made {
  subject: Subject;
  probe: ProbeView;
  look: Look;
  title: string;
  answer: Coverages;
  /** Twelve values that are taken away, the same for all members or by member; null: nothing is. */
  normals: ((column: Column) => (number | null)[]) | null;
}

/** The lines of one place and one variable. */
export function seriesLines(made: Made): Line[] {
  const along = alongOf(made.subject);
  if (!along) return [];
  const found = columns(made.answer, made.subject.variable.name, along.name);
  const members = membersOf(made.subject);
  const isEnsemble = members !== null && found.length > 1;
  const chosen = members && String(made.subject.drawn.layer.axes[members.name] ?? members.values?.[0] ?? members.first);
  const lines = found.map((column) => lineOf(made, column, along.kind, isEnsemble ? "thin" : "usual"));
  if (!isEnsemble || !members) return lines;
  const drawn = lines.map((line, n) => {
    const isChosen = String(found[n]!.labels[members.name]) === chosen;
    return isChosen
      ? { ...line, weight: "usual" as const, dash: 2, which: text.probe.memberOnMap(chosen ?? "") }
      : line;
  });
  return [...drawn, meanOf(lines, made)];
}

function lineOf(made: Made, column: Column, kind: "time" | "month" | "number", weight: Line["weight"]): Line {
  const { subject, probe, look } = made;
  const words = column.at.map(String);
  const x = kind === "time" ? positionsOf(words) : column.at.map(Number);
  const normals = made.normals?.(column) ?? null;
  const y = normals ? column.values.map((value, n) => less(value, normals, words[n]!)) : column.values;
  const order = ascending(x);
  const number = column.labels.number ?? null;
  return {
    key: [probe.id, subject.key, ...Object.values(column.labels)].join("/"),
    what: made.title,
    where: nameOf(probe),
    which: number === null ? "" : text.probe.member(String(number)),
    unit: unitFor(subject, normals !== null),
    color: look.color,
    dash: look.dash,
    weight,
    x: order ? order.map((n) => x[n]!) : x,
    words: order ? order.map((n) => words[n]!) : words,
    y: order ? order.map((n) => y[n]!) : y,
    facts: {
      collection: subject.drawn.tileset.id,
      variable: subject.variable.name,
      place: nameOf(probe),
      longitude: column.x,
      latitude: column.y,
      level: column.z,
      number,
    },
  };
}

function less(value: number | null, months: readonly (number | null)[], time: string): number | null {
  const month = fieldsOf(time)?.month;
  const usual = month ? months[month - 1] : null;
  return value === null || usual == null ? null : value - usual;
}

/** The order that makes positions ascend, without those that are none; null where it is so already. */
function ascending(x: readonly number[]): number[] | null {
  const isFine = x.every((one, n) => Number.isFinite(one) && (n === 0 || one > x[n - 1]!));
  if (isFine) return null;
  const order = x.map((_, n) => n).filter((n) => Number.isFinite(x[n]));
  order.sort((a, b) => x[a]! - x[b]!);
  return order.filter((n, place) => place === 0 || x[n] !== x[order[place - 1]!]);
}

/** Mean of the members and one standard deviation (of the population) to both sides, where any has a value. */
function meanOf(lines: readonly Line[], { subject, probe }: Made): Line {
  const first = lines[0]!;
  const mean: (number | null)[] = [];
  const low: (number | null)[] = [];
  const high: (number | null)[] = [];
  for (let n = 0; n < first.x.length; n++) {
    const values = lines.map((one) => one.y[n]).filter((one): one is number => one !== null && one !== undefined);
    const middle = values.length ? values.reduce((all, one) => all + one, 0) / values.length : null;
    const spread =
      middle === null ? 0 : Math.sqrt(values.reduce((all, one) => all + (one - middle) ** 2, 0) / values.length);
    mean.push(middle);
    low.push(middle === null ? null : middle - spread);
    high.push(middle === null ? null : middle + spread);
  }
  return {
    ...first,
    key: `${probe.id}/${subject.key}/mean`,
    which: text.probe.meanOf(lines.length),
    weight: "strong",
    y: mean,
    low,
    high,
    facts: { ...first.facts, number: "mean" },
  };
}

/** Whether an answer holds no value at all. */
export const isAllMissing = (answer: Coverages, variable: string): boolean =>
  answer.coverages.every((one) => one.ranges[variable]?.values.every((value) => value === null) ?? true);

export function creditOf(subject: Subject, answer: Coverages): Credit {
  const { receipt } = answer;
  const { tileset } = subject.drawn;
  return {
    source: receipt?.attribution || tileset.attribution || tileset.title,
    licence: receipt?.licence || tileset.license,
    receipt: text.probe.receipt({
      collection: tileset.id,
      version: receipt?.version ?? "",
      request: receipt?.request?.slice(0, 16) ?? "",
      software: receipt?.software ?? "",
    }),
  };
}

/** What has to be said of an answer: how it was averaged, in which calendar it counts. */
export function notesOf(answer: Coverages): string[] {
  const notes: string[] = [];
  const weights = answer.receipt?.weights_over_space;
  if (weights) notes.push(text.probe.weighted(weights));
  if (!["gregorian", "standard", "proleptic_gregorian"].includes(answer.calendar))
    notes.push(text.probe.calendar(answer.calendar));
  return notes;
}

/** Each of several once, in order. */
export const distinct = <T>(all: readonly T[], key: (one: T) => string = String): T[] => {
  const seen = new Set<string>();
  return all.filter((one) => !seen.has(key(one)) && seen.add(key(one)));
};
