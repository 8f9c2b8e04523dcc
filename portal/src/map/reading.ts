/** Values under a place, from the same tiles that are drawn: of each the cell whose pixel holds the place. */
import type { Step } from "./fields";
import type { Finding, Made } from "./layers";
import type { Sight } from "./panes";
import { cellAt, holds, quadAt, type Quad } from "./quads";
import { valueOf } from "./scaling";
import type { LonLat, Reading } from "./types";

type Value = number | null | undefined;

export function reading(made: Made, pane: number, at: LonLat, sight: Sight, finding: Finding): Reading {
  const patch = sight.patches.find(({ quad }) => holds(quad, at))?.quad ?? beside(sight, at);
  const of = (step: Step): Value => numberAt(step, patch, at, finding);
  const sides = made.parts.map((part) => ({ steps: part.steps.map(of), mix: part.mix }));
  const values = sides.map(({ steps, mix }) => (steps.length === 2 ? blended(steps[0], steps[1], mix) : steps[0]));
  const { key, kind } = made.layer;
  const isPlain = kind === "field";
  const value = kind === "difference" ? minus(values[0], values[1]) : values[0];
  return { key, pane, value, parts: isPlain ? (sides[0]?.steps ?? []) : values };
}

/** A place out of sight is read as finely as what is in sight. */
function beside({ patches }: Sight, at: LonLat): Quad {
  return quadAt(at, Math.max(0, ...patches.map(({ quad }) => quad.z)));
}

function numberAt(step: Step, patch: Quad, at: LonLat, finding: Finding): Value {
  const found = finding.at(step, patch, () => true);
  if (!found) return undefined;
  return found.tile?.numbers ? valueOf(found.tile.numbers[cellAt(found.quad, at)]!, step) : null;
}

/** As the shader does: where one step has no data, the nearer one decides. */
export function blended(first: Value, then: Value, mix: number): Value {
  if (first === undefined || then === undefined) return undefined;
  if (first === null) return mix > 0.5 ? then : null;
  if (then === null) return mix > 0.5 ? null : first;
  return first + (then - first) * mix;
}

function minus(one: Value, other: Value): Value {
  if (one === undefined || other === undefined) return undefined;
  return one === null || other === null ? null : one - other;
}
