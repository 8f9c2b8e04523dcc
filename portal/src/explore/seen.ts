/** What of a layer is in sight: values read at places spread over the map. */
import type { MapView } from "../map/MapView";

const ACROSS = 48;

/** Values of a layer (by its key in the scene) that are drawn now, of one pane. */
export function valuesInSight(map: MapView, key: string, pane = 0): number[] {
  const box = map.layout()[pane];
  if (!box) return [];
  const down = Math.max(8, Math.round((ACROSS * box.height) / Math.max(1, box.width)));
  const values: number[] = [];
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < ACROSS; column++) {
      const x = box.left + ((column + 0.5) / ACROSS) * box.width;
      const found = map.unproject(x, box.top + ((row + 0.5) / down) * box.height);
      const value = found && map.read(found.at).find((one) => one.key === key && one.pane === pane)?.value;
      if (typeof value === "number" && Number.isFinite(value)) values.push(value);
    }
  }
  return values;
}

/** The ends between which nearly all values lie: 2 of 100 are beyond on either side. Null where there are none. */
export function usualRange(values: readonly number[]): [number, number] | null {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
  const [low, high] = [at(0.02), at(0.98)];
  if (high > low) return [low, high];
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  return most > least ? [least, most] : [least - Math.abs(least || 1) / 100, most + Math.abs(most || 1) / 100];
}
