/** Asking with care: what may be large is estimated first, and goes on only when it is small or somebody said so. */
import { coverages, estimated, together, type Asked, type Coverages, type Estimate } from "../api/edr";
import { Failure } from "../api/http";
import type { Steps } from "../state/steps";

/** More numbers than this are not asked for without an estimate. */
export const UNASKED = 20_000;
/** What is asked for without anybody's word: bytes that are read, seconds, requests. */
const FREE = { bytes: 256 * 2 ** 20, seconds: 8, parts: 8 };
const MOST_PARTS = 40;

/** A request that waits for somebody's word. */
export class Costly extends Error {
  constructor(
    readonly asked: Asked,
    readonly estimate: Estimate,
    /** Requests that it has to be asked in. */
    readonly parts: number,
  ) {
    super("costly");
    this.name = "Costly";
  }
}

/**
 * The values. Throws Costly where they are many and `allowed` is false, Failure as the server says it, AbortError.
 * `steps` are those of a time axis that may be cut into parts; null: it may not.
 */
export async function askCarefully(
  asked: Asked,
  weight: number,
  allowed: boolean,
  steps: Steps | null,
  signal: AbortSignal,
): Promise<Coverages> {
  if (weight <= UNASKED) {
    try {
      return await coverages(asked, signal);
    } catch (error) {
      // a site with tighter limits than most: what it would take is worth knowing
      if (!(error instanceof Failure) || error.status !== 413 || !steps) throw error;
    }
  }
  const estimate = await estimated(asked, signal);
  const parts = estimate.passes ? 1 : partsFor(estimate, steps);
  // what cannot be cut is asked as it is: the refusal says why, and what would pass
  if (parts === 0) return coverages(asked, signal);
  const isSmall = estimate.bytes_read <= FREE.bytes && estimate.seconds <= FREE.seconds && parts <= FREE.parts;
  if (!allowed && !isSmall) throw new Costly(asked, estimate, parts);
  if (parts === 1) return coverages(asked, signal);
  const answers: Coverages[] = [];
  for (const one of cut(asked, steps!, parts)) answers.push(await coverages(one, signal));
  return together(answers);
}

/** How many requests keep each within the limits; 0 where no number does. */
export function partsFor(estimate: Estimate, steps: Steps | null): number {
  if (!steps || steps.count < 2) return 0;
  const over = (name: "values" | "bytes_read" | "cells"): number => {
    const limit = estimate.limits[name];
    return limit ? estimate[name] / limit : 0;
  };
  if (over("cells") > 1) return 0; // of another time there are as many
  const parts = Math.ceil(Math.max(over("values"), over("bytes_read")) * 1.25);
  return parts > 1 && parts <= Math.min(MOST_PARTS, steps.count) ? parts : 0;
}

/** The same request over parts of the time, in order. */
export function cut(asked: Asked, steps: Steps, parts: number): Asked[] {
  const size = Math.ceil(steps.count / parts);
  return Array.from({ length: Math.ceil(steps.count / size) }, (_, n) => {
    const last = Math.min(steps.count, (n + 1) * size) - 1;
    const datetime = `${steps.iso(n * size)}/${steps.iso(last)}`;
    return { ...asked, parameters: { ...asked.parameters, datetime } };
  });
}
