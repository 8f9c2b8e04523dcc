/** Reads GeoJSON in a worker; where there can be none (a page of another site), small texts are read here. */
import { readGeoJson, type Answer, type Kind } from "./geojson";

export interface Reading {
  answer: Promise<Answer>;
  stop: () => void;
}

const SMALL = 2_000_000;

export function reading(source: Blob | string, kinds: Kind[]): Reading {
  let worker: Worker;
  try {
    worker = new Worker(new URL("./geojson.worker.ts", import.meta.url), { type: "module" });
  } catch {
    return { answer: here(source, kinds), stop: () => undefined };
  }
  const answer = new Promise<Answer>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => resolve(data);
    worker.onerror = () => reject(new Error("worker"));
    worker.postMessage({ source, kinds });
  })
    .catch(() => here(source, kinds))
    .finally(() => worker.terminate());
  return { answer, stop: () => worker.terminate() };
}

async function here(source: Blob | string, kinds: Kind[]): Promise<Answer> {
  const bytes = typeof source === "string" ? source.length : source.size;
  if (bytes > SMALL) return { fault: "size", bytes };
  return readGeoJson(typeof source === "string" ? source : await source.text(), kinds);
}
