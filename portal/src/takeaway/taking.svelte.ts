/** What is wanted, as the fields have it now; it starts as the map shows the layer, and stays while panels come and go. */
import { chosenAxes, placeOn } from "../explore/scene";
import { board } from "../state/board.svelte";
import { positionOf } from "../state/instants";
import { portal } from "../state/portal.svelte";
import { stepsOf, type Steps } from "../state/steps";
import type { LayerView } from "../state/view";
import { variableFor } from "../explore/scene";
import { askedOf, isField, suits, type Subject, type Wanted } from "./wanting";

const FORMATS = ["CoverageJSON", "CSV", "GeoJSON", "GeoTIFF", "NetCDF", "Parquet"];

class Taking {
  wanted = $state<Wanted | null>(null);
  /** Whether somebody chose a format; until then the one that suits is taken. */
  chosenFormat = $state<string | null>(null);
  formats = $state.raw<string[]>(FORMATS);
  tab = $state<"file" | "code" | "cite">("file");
  #of = "";

  readonly layer = $derived<LayerView | null>(portal.layer);
  readonly entry = $derived(this.layer ? board.entry(this.layer.collection) : null);
  readonly subject = $derived.by<Subject | null>(() => {
    const { layer, entry } = this;
    if (!layer || entry?.state !== "ready") return null;
    const variable = variableFor(entry.tileset, layer.rgb?.[0] ?? layer.variable);
    if (!variable) return null;
    const axes = chosenAxes(entry.tileset, variable);
    const runs = axes.find((one) => one.kind === "reference_time");
    const steps = stepsOf(entry.tileset, variable, entry.days, runs && placeOn(runs, layer.axes[runs.name]));
    return { tileset: entry.tileset, variable, axes, steps, step: stepAt(layer, steps) };
  });
  readonly format = $derived(this.wanted ? (this.chosenFormat ?? suits(this.wanted, this.formats)) : "");
  readonly asked = $derived(this.wanted && this.subject ? askedOf(this.wanted, this.subject) : null);

  /** Starts anew where another layer, or another variable of it, is meant. */
  begin(): void {
    const { layer, subject } = this;
    if (!layer || !subject) return;
    const key = JSON.stringify([layer.collection, layer.variable, layer.rgb]);
    if (key === this.#of && this.wanted) return;
    this.#of = key;
    this.chosenFormat = null;
    const probe = portal.view.probes.at(-1);
    this.wanted = {
      collection: layer.collection,
      variables: layer.rgb ? [...new Set(layer.rgb)] : [subject.variable.name],
      shape: probe ? { kind: "probe", probe: $state.snapshot(probe) } : { kind: "whole" },
      time: { kind: probe ? "all" : "now" },
      axes: Object.fromEntries(subject.axes.map((axis) => [axis.name, [placeOn(axis, layer.axes[axis.name])]])),
      reduce: { members: "", time: "", period: "", space: "" },
      format: "",
    };
  }

  /** Takes what the server says would pass. */
  take(suggestion: Record<string, unknown>): void {
    const { wanted } = this;
    if (!wanted) return;
    const box = suggestion.bbox;
    if (Array.isArray(box) && box.length === 4) wanted.shape = { kind: "box", box: box.map(Number) as never };
    const times = String(suggestion.datetime ?? "").split("/");
    if (times[0]) wanted.time = { kind: "span", from: times[0], to: times[1] ?? times[0] };
    const names = suggestion["parameter-name"];
    if (names) wanted.variables = Array.isArray(names) ? names.map(String) : String(names).split(",");
  }

  get isField(): boolean {
    return this.wanted !== null && isField(this.wanted.shape);
  }
}

function stepAt(layer: LayerView, steps: Steps | null): number {
  if (!steps?.count) return -1;
  const iso = layer.time ?? board.clock.iso;
  if (iso === null) return steps.count - 1;
  const named = steps.named(iso);
  return named >= 0 ? named : Math.max(0, steps.before(layer.time ? positionOf(iso) : board.clock.position));
}

export const taking = new Taking();
