import type { MapEvents } from "./types";

export type MapListener<Name extends keyof MapEvents> = (event: MapEvents[Name]) => void;
export type MapListeners = { [Name in keyof MapEvents]?: MapListener<Name> };

/** Who wants to know of what. */
export class Listeners {
  readonly #all = new Map<keyof MapEvents, Set<MapListener<never>>>();

  constructor(first: MapListeners = {}) {
    for (const [name, listener] of Object.entries(first)) this.on(name as "load", listener as MapListener<"load">);
  }

  on<Name extends keyof MapEvents>(name: Name, listener: MapListener<Name>): () => void {
    const some = this.#all.get(name) ?? new Set();
    this.#all.set(name, some.add(listener as MapListener<never>));
    return () => void some.delete(listener as MapListener<never>);
  }

  emit<Name extends keyof MapEvents>(name: Name, event: MapEvents[Name]): void {
    for (const listener of [...(this.#all.get(name) ?? [])]) (listener as MapListener<Name>)(event);
  }

  clear(): void {
    this.#all.clear();
  }
}
