/** Which questions the charts of a view ask, and the lines that come of the answers. Pure, but for the asking itself. */
import type { Asked, Coverages } from "../api/edr";
import type { ChartData, Line } from "../chart/types";
import { spokenPlace } from "../color/numbers";
import { text } from "../text/en";
import type { ProbeView } from "../state/view";
import type { Answer, Wanted } from "./answers.svelte";
import { askCarefully } from "./careful";
import { distance } from "./lines";
import { alongOf, membersOf, seriesRequest, weightOf, type Subject, type Wish } from "./requests";
import * as series from "./series";
import { nameOf, shapeOf } from "./shapes";

/** What a question is about, to say so while it is open and when it failed. */
export interface Question {
  subject: Subject;
  probe: ProbeView;
  asked: Asked;
  weight: number;
  wanted: Wanted<Coverages>;
}

export function question(
  kind: string,
  subject: Subject,
  probe: ProbeView,
  asked: Asked,
  weight: number,
  allowed: ReadonlySet<string>,
): Question {
  const key = keyOf(asked);
  const steps = alongOf(subject)?.kind === "time" && !asked.parameters.datetime ? subject.drawn.steps : null;
  const ask = (signal: AbortSignal): Promise<Coverages> => askCarefully(asked, weight, allowed.has(key), steps, signal);
  return { subject, probe, asked, weight, wanted: { slot: `${kind}/${probe.id}/${subject.key}`, key, ask } };
}

/** Data of another version are another question. */
export const keyOf = (asked: Asked): string => JSON.stringify(asked);

/** What is taken away from values: nothing, the series' own months, or those of another layer. */
export type Normals = { kind: "none" } | { kind: "own" } | { kind: "layer"; subject: Subject };

export interface SeriesWish {
  members: boolean;
  normals: Normals;
}

const CLIMATOLOGY = "mean:time:climatology-month";

const hasSeries = (probe: ProbeView): boolean => shapeOf(probe) !== "line";

/** Subjects that a monthly climatology can be taken away from. */
export const takesNormals = (subject: Subject): boolean => alongOf(subject)?.kind === "time";

const YEAR = 366 * 86_400_000;

/** Whether its months come more than once: else each would be its own mean. */
export function hasYears(subject: Subject): boolean {
  const { steps } = subject.drawn;
  return takesNormals(subject) && steps !== null && steps.count > 1 && steps.at(steps.count - 1) - steps.at(0) > YEAR;
}

/** Series of every place and area and every layer, and the months that are taken away from them. */
export function seriesQuestions(
  subjects: readonly Subject[],
  probes: readonly ProbeView[],
  wish: SeriesWish,
  allowed: ReadonlySet<string>,
): Question[] {
  const found: Question[] = [];
  for (const probe of probes.filter(hasSeries)) {
    for (const subject of subjects) {
      const members: Wish = { members: wish.members };
      const weight = weightOf(subject, probe, wish.members);
      found.push(question("series", subject, probe, seriesRequest(subject, probe, members), weight, allowed));
      if (wish.normals.kind === "own" && hasYears(subject)) {
        const asked = seriesRequest(subject, probe, { ...members, reduce: CLIMATOLOGY });
        found.push(question("normals", subject, probe, asked, weight, allowed));
      }
    }
    if (wish.normals.kind === "layer") {
      const { subject } = wish.normals;
      const asked = seriesRequest(subject, probe, {
        members: false,
        ...(alongOf(subject)?.kind === "time" && { reduce: CLIMATOLOGY }),
      });
      found.push(question("normals", subject, probe, asked, weightOf(subject, probe, false), allowed));
    }
  }
  return found;
}

type All = Readonly<Record<string, Answer<Coverages>>>;

export interface SeriesCharts {
  charts: { data: ChartData; sources: Question[] }[];
  /** Layers that have a single value at each place. */
  values: { question: Question; value: number | null; line: Line }[];
  /** Answers without any value. */
  empty: Question[];
}

/** The charts of all series: one for each kind of axis, two units in each at most. */
export function seriesCharts(
  subjects: readonly Subject[],
  probes: readonly ProbeView[],
  questions: readonly Question[],
  answers: All,
  normals: Normals,
): SeriesCharts {
  const places = probes.filter(hasSeries).map((one) => one.id);
  const drawn = subjects.filter((one) => alongOf(one)).length || subjects.length;
  const lines: { line: Line; question: Question; answer: Coverages }[] = [];
  const found: SeriesCharts = { charts: [], values: [], empty: [] };
  for (const one of questions.filter((each) => each.wanted.slot.startsWith("series/"))) {
    const answer = answers[one.wanted.slot]?.value;
    if (!answer) continue;
    const { subject, probe } = one;
    if (series.isAllMissing(answer, subject.variable.name)) {
      found.empty.push(one);
      continue;
    }
    const look = series.lookOf(subject, probe, drawn, places);
    const months = normalsFor(one, answers, normals);
    if (months === undefined) continue; // the series waits for what is taken away from it
    const title = months ? text.probe.anomalyOf(series.titleOf(subject, subjects)) : series.titleOf(subject, subjects);
    const made = { subject, probe, look, title, answer, normals: months };
    if (alongOf(subject)) for (const line of series.seriesLines(made)) lines.push({ line, question: one, answer });
    else pushValue(found, made, one);
  }
  found.charts = charted(lines, normals);
  return found;
}

/** Months to take away; null: none are wanted; undefined: they are not here (yet). */
function normalsFor({ subject, probe }: Question, answers: All, normals: Normals): series.Made["normals"] | undefined {
  if (normals.kind === "none" || !takesNormals(subject)) return null;
  if (normals.kind === "own" && !hasYears(subject)) return null;
  const other = normals.kind === "layer" ? normals.subject : subject;
  if (normals.kind === "layer" && other.key === subject.key) return null;
  const answer = answers[`normals/${probe.id}/${other.key}`]?.value;
  if (!answer) return undefined;
  if (normals.kind === "layer") {
    const months = series.monthsFrom(answer, other.variable.name);
    return () => months;
  }
  const all = series.monthsByMember(answer, subject.variable.name);
  return (column) => all.get(series.memberKey(column)) ?? [...all.values()][0] ?? [];
}

function pushValue(found: SeriesCharts, made: series.Made, one: Question): void {
  const range = made.answer.coverages[0]?.ranges[one.subject.variable.name];
  const value = range?.values[0];
  const line: Line = {
    key: `${one.probe.id}/${one.subject.key}`,
    what: made.title,
    where: nameOf(one.probe),
    which: "",
    unit: series.unitFor(one.subject),
    color: made.look.color,
    dash: made.look.dash,
    weight: "usual",
    x: [],
    y: [],
    facts: {},
  };
  found.values.push({ question: one, value: typeof value === "number" ? value : null, line });
}

const MOST_UNITS = 2;

function charted(
  lines: readonly { line: Line; question: Question; answer: Coverages }[],
  normals: Normals,
): SeriesCharts["charts"] {
  const found: SeriesCharts["charts"] = [];
  const along = (one: (typeof lines)[number]): string => {
    const { kind, name } = alongOf(one.question.subject)!;
    return kind === "number" ? name : kind;
  };
  for (const kind of series.distinct(lines.map(along))) {
    const alike = lines.filter((one) => along(one) === kind);
    const units = series.distinct(alike.map((one) => one.line.unit.label));
    for (let n = 0; n < units.length; n += MOST_UNITS) {
      const some = units.slice(n, n + MOST_UNITS);
      const members = alike.filter((one) => some.includes(one.line.unit.label));
      found.push(chartOf(members, normals));
    }
  }
  return found;
}

function chartOf(
  members: readonly { line: Line; question: Question; answer: Coverages }[],
  normals: Normals,
): SeriesCharts["charts"][number] {
  const sources = series.distinct(
    members.map((one) => one.question),
    (one) => one.wanted.slot,
  );
  const answers = series.distinct(members, (one) => one.question.wanted.slot);
  const { kind, title, units } = alongOf(sources[0]!.subject)!;
  const what = series.distinct(members.map((one) => one.line.what));
  const where = series.distinct(members.map((one) => one.line.where));
  const first = text.probe.several(what);
  const notes = [...members.map(cellNote), ...answers.flatMap((one) => series.notesOf(one.answer))].filter(Boolean);
  if (normals.kind === "own") notes.unshift(text.probe.anomaly.note);
  if (normals.kind === "layer") notes.unshift(text.probe.anomaly.noteOf(normals.subject.drawn.tileset.title));
  return {
    data: {
      title: text.probe.titleAt(first, where.length === 1 ? where[0]! : ""),
      x: { kind, title, units, upright: false, down: false },
      lines: members.map((one) => one.line),
      credits: series.distinct(
        answers.map((one) => series.creditOf(one.question.subject, one.answer)),
        (one) => JSON.stringify(one),
      ),
      notes: series.distinct(notes),
    },
    sources,
  };
}

/** Which cell answered for a place: its middle, and how far off that is. */
function cellNote({ line, question: { probe } }: { line: Line; question: Question }): string {
  const { longitude, latitude } = line.facts;
  if (typeof longitude !== "number" || typeof latitude !== "number" || probe.geometry?.type !== "Point") return "";
  const [lon, lat] = probe.geometry.coordinates as [number, number];
  const km = distance([lon, lat], [longitude, latitude]);
  const far = km < 0.05 ? "" : `${km < 10 ? km.toFixed(1) : km.toFixed(0)} km`;
  return text.probe.cell({
    where: line.where,
    what: line.what,
    cell: spokenPlace([longitude, latitude], km < 1 ? 4 : 2),
    far,
  });
}

export const hasMembers = (subjects: readonly Subject[]): boolean => subjects.some((one) => membersOf(one));
