/** From answers to sections, Hovmoeller plots, profiles and histograms. Pure. */
import { columns, tracks, type Coverages, type Track } from "../api/edr";
import type { Distribution, Statistics } from "../api/statistics";
import type { BarsData, ChartData, HeatData, Line } from "../chart/types";
import { positionsOf, spoken } from "../state/instants";
import { text } from "../text/en";
import type { ProbeView } from "../state/view";
import { nearest, type Station } from "./lines";
import { alongOf, isThinned, stationsOf, timeOf, type Subject } from "./requests";
import { creditOf, distinct, lookOf, notesOf, titleOf, unitFor } from "./series";
import { nameOf } from "./shapes";

/** The time that a layer shows, for people. */
export function timeWords(subject: Subject): string {
  const shown = subject.drawn.shown;
  if (!shown || !Object.keys(timeOf(subject)).length) return "";
  const grain = subject.drawn.steps?.grain ?? "minute";
  return spoken(shown.iso, grain === "year" || grain === "month" ? "day" : grain);
}

export interface Asking {
  subject: Subject;
  probe: ProbeView;
  answer: Coverages;
}

function bare(one: Asking, subjects: readonly Subject[], places: readonly string[]): Omit<Line, "x" | "y"> {
  const { subject, probe } = one;
  const look = lookOf(subject, probe, subjects.length, places);
  return {
    key: `${probe.id}/${subject.key}`,
    what: titleOf(subject, subjects),
    where: nameOf(probe),
    which: "",
    unit: unitFor(subject),
    color: look.color,
    dash: look.dash,
    weight: "usual",
    facts: { collection: subject.drawn.tileset.id, variable: subject.variable.name, place: nameOf(probe) },
  };
}

/** Values of the layers along one line, at the current time, over the distance from its start. */
export function transect(all: readonly Asking[], subjects: readonly Subject[], probe: ProbeView): ChartData | null {
  const lines = all.flatMap((one): Line[] => {
    const line = probe.geometry;
    const [track] = tracks(one.answer, one.subject.variable.name);
    if (line?.type !== "LineString" || !track?.places.length) return [];
    const stations = stationsOf(one.subject, line);
    const found = nearest(stations, track.places);
    const made = bare(one, subjects, [probe.id]);
    const color = subjects.length === 1 ? made.color : one.subject.color;
    const y = found.map((n) => track.values[n] ?? null);
    return [{ ...made, where: "", color, dash: 0, x: stations.map((station) => station.km), y, facts: made.facts }];
  });
  if (!lines.length) return null;
  const times = distinct(all.map((one) => timeWords(one.subject)).filter(Boolean));
  return {
    title: text.probe.transect(nameOf(probe), times.length === 1 ? times[0]! : ""),
    x: { kind: "number", title: text.probe.distance, units: "km", upright: false, down: false },
    lines,
    credits: distinct(
      all.map((one) => creditOf(one.subject, one.answer)),
      (one) => JSON.stringify(one),
    ),
    notes: distinct([text.probe.nearestCell, ...all.flatMap((one) => notesOf(one.answer))]),
  };
}

/** Distance and time: every time of one layer along a line. Null where the answer has no such thing. */
export function hovmoeller(
  { subject, probe, answer }: Asking,
  subjects: readonly Subject[],
  stations: readonly Station[],
): HeatData | null {
  const along = alongOf(subject);
  const all = tracks(answer, subject.variable.name).filter((one) => one.places.length);
  if (!along || all.length < 2) return null;
  const at = (one: Track): string => (along.kind === "time" ? (one.time ?? "") : String(one.labels[along.name] ?? ""));
  const words = all.map(at);
  const places = along.kind === "time" ? positionsOf(words) : words.map(Number);
  const order = places.map((_, n) => n).filter((n) => Number.isFinite(places[n]));
  order.sort((a, b) => places[a]! - places[b]!);
  const found = nearest(stations, all[0]!.places);
  return {
    title: text.probe.hovmoeller(titleOf(subject, subjects), nameOf(probe)),
    what: titleOf(subject, subjects),
    unit: unitFor(subject),
    x: stations.map((one) => one.km),
    xTitle: text.probe.distance,
    xUnits: "km",
    y: order.map((n) => places[n]!),
    yKind: along.kind === "time" ? "time" : "number",
    yTitle: along.kind === "time" ? text.probe.time : along.kind === "month" ? text.probe.month : along.title,
    words: order.map((n) => words[n]!),
    values: order.flatMap((n) => found.map((place) => all[n]!.values[place] ?? null)),
    colors: subject.drawn.colors,
    range: [...subject.drawn.range],
    credits: [creditOf(subject, answer)],
    notes: [
      text.probe.nearestCell,
      ...(isThinned(subject) ? [text.probe.monthly(along.count)] : []),
      ...notesOf(answer),
    ],
  };
}

/** Values over height at places and over areas; pressure grows downwards. */
export function profile(
  all: readonly Asking[],
  subjects: readonly Subject[],
  places: readonly string[],
): ChartData | null {
  const lines = all.flatMap((one): Line[] =>
    columns(one.answer, one.subject.variable.name, "z")
      .slice(0, 1)
      .map((column) => {
        const order = column.at.map((_, n) => n).sort((a, b) => Number(column.at[a]) - Number(column.at[b]));
        const made = bare(one, subjects, places);
        const facts = { ...made.facts, longitude: column.x, latitude: column.y, time: column.t };
        return {
          ...made,
          x: order.map((n) => Number(column.at[n])),
          y: order.map((n) => column.values[n] ?? null),
          facts,
        };
      }),
  );
  const vertical = all[0]?.answer.vertical;
  if (!lines.some((one) => one.x.length > 1)) return null;
  const times = distinct(all.map((one) => timeWords(one.subject)).filter(Boolean));
  const isPressure = /^(m?bar|h?pa|pascal|hectopascal|millibar)s?$/i.test(vertical?.units.trim() ?? "");
  return {
    title: text.probe.profile(times.length === 1 ? times[0]! : ""),
    x: {
      kind: "number",
      title: tidy(vertical?.title ?? text.probe.height),
      units: vertical?.units ?? "",
      upright: true,
      down: isPressure || (vertical?.down ?? false),
    },
    lines,
    credits: distinct(
      all.map((one) => creditOf(one.subject, one.answer)),
      (one) => JSON.stringify(one),
    ),
    notes: distinct(all.flatMap((one) => notesOf(one.answer))),
  };
}

const tidy = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1).replaceAll("_", " ");

/** The entry of what was asked: one variable at one step. */
export const entryOf = (said: Statistics, variable: string): Distribution | null =>
  said.variables.find((one) => one.name === variable)?.statistics[0] ?? said.variables[0]?.statistics[0] ?? null;

export const weightWords = (said: Statistics): string =>
  /\barea\b/.test(said.weights) ? text.probe.stats.weighting : text.probe.stats.weightingOf(said.weights);

export function histogram(
  said: Statistics,
  subject: Subject,
  subjects: readonly Subject[],
  probe: ProbeView,
): BarsData | null {
  const entry = entryOf(said, subject.variable.name);
  if (!entry?.histogram) return null;
  const marks = [
    { label: text.probe.stats.meanMark, value: entry.mean },
    { label: text.probe.stats.medianMark, value: entry.median },
  ].filter((one): one is { label: string; value: number } => one.value !== null);
  const time = timeWords(subject);
  return {
    title: text.probe.titleAt(titleOf(subject, subjects), text.probe.statistics(nameOf(probe), time)),
    what: titleOf(subject, subjects),
    unit: unitFor(subject),
    edges: entry.histogram.edges,
    shares: entry.histogram.share,
    yTitle: text.probe.stats.share,
    marks,
    credits: [
      creditOf(subject, { coverages: [], parameters: {}, calendar: "", vertical: null, receipt: said.receipt }),
    ],
    notes: [`${weightWords(said)}.`],
  };
}
