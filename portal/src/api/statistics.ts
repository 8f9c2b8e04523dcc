/** How the values within a shape are distributed, as GET|POST /ogc/collections/{id}/statistics says it. */
import { at, part } from "./root";
import { json } from "./http";
import type { Receipt } from "./edr";

export interface Histogram {
  edges: number[];
  count: number[];
  /** Of the weight (area, where cells have one) in each bin, 0 to 1. */
  share: number[];
  below: number;
  above: number;
}

export interface Distribution {
  count: number;
  missing: number;
  /** Of cells with and without a value, in m2 where cells have areas. */
  weight?: number;
  weight_missing?: number;
  mean: number | null;
  std: number | null;
  min: number | null;
  max: number | null;
  p5: number | null;
  p25: number | null;
  median: number | null;
  p75: number | null;
  p95: number | null;
  histogram: Histogram | null;
}

export interface Statistics {
  collection: string;
  cell_count: number;
  /** In words: what each cell counts. */
  weights: string;
  variables: { name: string; title: string; units: string; statistics: Distribution[] }[];
  receipt: Receipt;
}

const LONGEST = 4000;

/** Throws Failure, AbortError. */
export function statistics(
  collection: string,
  parameters: Record<string, string>,
  signal?: AbortSignal,
): Promise<Statistics> {
  const address = at(`ogc/collections/${part(collection)}/statistics`, parameters);
  const stop = signal ? { signal } : {};
  if (address.href.length <= LONGEST) return json<Statistics>(address, stop);
  address.search = "";
  return json<Statistics>(address, {
    ...stop,
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(parameters),
  });
}
