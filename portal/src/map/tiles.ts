/** Tiles of values: asked for by urgency, few at once, kept within a number of bytes, the longest unused forgotten first. */
import { ask, Failure, isAborted } from "../api/http";
import { text } from "../text/en";
import { decoded } from "./decoding";
import { BORDERED } from "./quads";

export const TILE_BYTES = 2 * BORDERED * BORDERED;

export interface Tile {
  readonly address: string;
  /** "empty": it came, and has no data anywhere. */
  state: "waiting" | "loading" | "here" | "empty" | "failed";
  numbers: Uint16Array<ArrayBuffer> | null;
  /** Why it failed, for people. */
  message: string | null;
}

export interface Wish {
  address: string;
  /** Of which tileset it is. */
  collection: string;
  /** Pixels from the middle of the map, or whatever orders wishes: the least first. */
  urgency: number;
}

interface Entry extends Tile {
  collection: string;
  urgency: number;
  used: number;
  tries: number;
  /** When a failed one may be asked for again; Infinity: not by itself. */
  again: number;
  stop: AbortController | null;
}

interface Options {
  /** Bytes of numbers that are kept. */
  bytes: number;
  /** Requests at the same time. */
  atOnce: number;
  /** A tile came, or failed. */
  changed: () => void;
  /** A server said that the data have a new version. */
  stale: (collection: string) => void;
  /** A tile is no longer kept. */
  dropped: (tile: Tile) => void;
}

/** Tiles without data that are remembered as such. */
const MOST_EMPTY = 4000;
const WAITS = [500, 1500, 4000, 10_000, 30_000];
/** Refusals that another attempt does not change. */
const isFinal = ({ status }: Failure): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

export class Tiles {
  readonly #options: Options;
  readonly #entries = new Map<string, Entry>();
  #wanted = new Set<string>();
  /** Asked for ahead: how many still wait for each. */
  readonly #ahead = new Map<string, number>();
  readonly #waiters = new Set<() => void>();
  #loading = 0;
  #clock = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  /** Requests ever made. */
  asked = 0;

  constructor(options: Options) {
    this.#options = options;
  }

  /** What is known of a tile; using it keeps it. */
  get(address: string): Tile | undefined {
    const found = this.#entries.get(address);
    if (found) found.used = ++this.#clock;
    return found;
  }

  /** All that is wanted now: what is not here is asked for, what is asked for in vain is stopped. */
  want(wishes: readonly Wish[]): void {
    this.#wanted = new Set(wishes.map(({ address }) => address));
    for (const wish of wishes) this.#wish(wish);
    for (const entry of this.#entries.values()) {
      if (entry.state === "loading" && !this.#isWanted(entry)) this.#abandon(entry);
    }
    this.#go();
  }

  /** Resolves when all of these are here, or failed. */
  async ahead(wishes: readonly Wish[]): Promise<void> {
    for (const wish of wishes) {
      this.#ahead.set(wish.address, (this.#ahead.get(wish.address) ?? 0) + 1);
      this.#wish(wish);
    }
    this.#go();
    try {
      while (!this.#isOver && wishes.some(({ address }) => this.#isOpen(address))) await this.#next();
    } finally {
      for (const { address } of wishes) {
        const left = (this.#ahead.get(address) ?? 1) - 1;
        if (left > 0) this.#ahead.set(address, left);
        else this.#ahead.delete(address);
      }
    }
  }

  /** Of what is wanted: how many tiles are on their way, how many failed, and why the last of them. */
  get load(): { pending: number; failed: number; message: string | null } {
    let [pending, failed]: [number, number] = [0, 0];
    let message: string | null = null;
    for (const address of this.#wanted) {
      const found = this.#entries.get(address);
      if (!found) continue;
      if (found.state === "failed" || found.message !== null) {
        failed++;
        message = found.message ?? message;
      } else if (found.state === "waiting" || found.state === "loading") pending++;
    }
    return { pending, failed, message };
  }

  /** Failed ones are asked for again now. */
  retry(): void {
    for (const entry of this.#entries.values()) {
      if (entry.state === "failed") Object.assign(entry, { state: "waiting", message: null, tries: 0, again: 0 });
    }
    this.#go();
  }

  destroy(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    for (const { stop } of this.#entries.values()) stop?.abort();
    this.#entries.clear();
    this.#wanted.clear();
    this.#tell();
  }

  #isWanted = ({ address }: Entry): boolean => this.#wanted.has(address) || this.#ahead.has(address);

  #isOpen(address: string): boolean {
    const state = this.#entries.get(address)?.state;
    return state === "waiting" || state === "loading";
  }

  #next = (): Promise<void> => new Promise((resolve) => this.#waiters.add(resolve));

  #wish({ address, collection, urgency }: Wish): void {
    const found = this.#entries.get(address);
    if (found) {
      found.urgency = urgency;
      found.used = ++this.#clock;
      if (found.state === "failed" && found.again <= Date.now()) found.state = "waiting";
      return;
    }
    const fresh = { numbers: null, message: null, tries: 0, again: 0, stop: null, used: ++this.#clock };
    this.#entries.set(address, { address, collection, urgency, state: "waiting", ...fresh });
  }

  #go(): void {
    if (this.#isOver || this.#loading >= this.#options.atOnce) return;
    const waiting = [...this.#entries.values()].filter((one) => one.state === "waiting");
    // what nobody waits for any more is no longer remembered
    for (const entry of waiting) if (!this.#isWanted(entry)) this.#entries.delete(entry.address);
    const urgent = waiting
      .filter(this.#isWanted)
      .sort((one, other) => this.#rank(one) - this.#rank(other) || one.urgency - other.urgency);
    for (const entry of urgent.slice(0, this.#options.atOnce - this.#loading)) void this.#ask(entry);
  }

  /** What is to be seen comes before what will be. */
  #rank = ({ address }: Entry): number => (this.#wanted.has(address) ? 0 : 1);

  #abandon(entry: Entry): void {
    entry.stop?.abort();
    if (this.#entries.get(entry.address) === entry) this.#entries.delete(entry.address);
  }

  async #ask(entry: Entry): Promise<void> {
    const stop = new AbortController();
    Object.assign(entry, { state: "loading", stop });
    this.#loading++;
    this.asked++;
    try {
      const answer = await ask(entry.address, { signal: stop.signal });
      const numbers = answer.status === 204 ? null : decoded(await answer.arrayBuffer());
      Object.assign(entry, { state: numbers ? "here" : "empty", numbers, message: null, tries: 0 });
      this.#forget();
    } catch (error) {
      if (!isAborted(error)) this.#fail(entry, error);
      else if (this.#entries.get(entry.address) === entry) this.#entries.delete(entry.address);
    } finally {
      entry.stop = null;
      this.#loading--;
      if (!this.#isOver) this.#tell();
      this.#go();
    }
  }

  #fail(entry: Entry, error: unknown): void {
    const failure = error instanceof Failure ? error : null;
    if (failure?.status === 404) {
      // beside the data
      Object.assign(entry, { state: "empty", numbers: null, message: null });
      return;
    }
    const wait = failure && isFinal(failure) ? Infinity : WAITS[Math.min(entry.tries, WAITS.length - 1)]!;
    const message = failure?.message ?? text.failure.offline;
    Object.assign(entry, { state: "failed", message, tries: entry.tries + 1, again: Date.now() + wait });
    if (failure?.status === 409) this.#options.stale(entry.collection);
    else if (wait < Infinity) this.#later(wait);
  }

  /** Asks again what failed and is still wanted. */
  #later(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const now = Date.now() + 50;
      let next = Infinity;
      for (const entry of this.#entries.values()) {
        if (entry.state !== "failed" || !this.#isWanted(entry)) continue;
        if (entry.again <= now) entry.state = "waiting";
        else next = Math.min(next, entry.again - now);
      }
      if (next < Infinity) this.#later(next + 50);
      this.#go();
    }, wait);
  }

  #tell(): void {
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter();
    }
    if (!this.#isOver) this.#options.changed();
  }

  /** Keeps within the bytes: numbers that were not used for longest go first, never those in sight. */
  #forget(): void {
    const settled = [...this.#entries.values()].filter((one) => one.state !== "waiting" && one.state !== "loading");
    const held = settled.filter((one) => one.numbers !== null);
    this.#drop(held, held.length - Math.floor(this.#options.bytes / TILE_BYTES));
    if (settled.length - held.length > MOST_EMPTY) {
      const others = settled.filter((one) => one.numbers === null);
      this.#drop(others, others.length - MOST_EMPTY / 2);
    }
  }

  #drop(entries: Entry[], count: number): void {
    if (count <= 0) return;
    const unused = entries.filter((one) => !this.#wanted.has(one.address)).sort((one, other) => one.used - other.used);
    for (const entry of unused.slice(0, count)) {
      this.#entries.delete(entry.address);
      this.#options.dropped(entry);
    }
  }
}
