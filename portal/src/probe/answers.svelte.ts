/** What has been asked of the server for the charts, and what came of it. Nothing is waited for that nobody wants. */
import { untrack } from "svelte";
import { isAborted } from "../api/http";

export interface Wanted<T> {
  /** Where the answer is shown; one question at a time in each. */
  slot: string;
  /** What is asked, whole: the same key is the same question. */
  key: string;
  ask: (signal: AbortSignal) => Promise<T>;
}

export interface Answer<T> {
  key: string;
  /** While another question is under way this is still the answer to the one before. */
  value: T | null;
  /** The question that `value` answers. */
  of: string;
  error: unknown;
  isLoading: boolean;
}

/** A place that is being dragged asks when it rests this long, ms. */
const REST = 140;
const KEPT = 80;

export class Answers<T> {
  all = $state.raw<Readonly<Record<string, Answer<T>>>>({});
  #kept = new Map<string, T>();
  #under = new Map<string, { key: string; stop: AbortController; timer?: ReturnType<typeof setTimeout> }>();

  /** These and no others: what is new is asked, what is missing is dropped, the rest goes on. */
  want(wanted: readonly Wanted<T>[]): void {
    untrack(() => {
      const next: Record<string, Answer<T>> = {};
      const slots = new Set(wanted.map((one) => one.slot));
      for (const slot of [...this.#under.keys()]) if (!slots.has(slot)) this.#drop(slot);
      for (const one of wanted) next[one.slot] = this.#next(one, this.all[one.slot]);
      this.all = next;
    });
  }

  /** Asks a failed question again. */
  again(wanted: Wanted<T>): void {
    this.#drop(wanted.slot);
    this.#put(wanted.slot, { ...this.all[wanted.slot]!, error: null, isLoading: true });
    this.#start(wanted, 0);
  }

  end(): void {
    for (const slot of [...this.#under.keys()]) this.#drop(slot);
  }

  #next(one: Wanted<T>, before: Answer<T> | undefined): Answer<T> {
    if (before?.key === one.key) return before;
    this.#drop(one.slot);
    const kept = this.#kept.get(one.key);
    if (kept !== undefined) return { key: one.key, of: one.key, value: kept, error: null, isLoading: false };
    this.#start(one, before ? REST : 0);
    return { key: one.key, of: before?.of ?? "", value: before?.value ?? null, error: null, isLoading: true };
  }

  #start(one: Wanted<T>, rest: number): void {
    const stop = new AbortController();
    const under: { key: string; stop: AbortController; timer?: ReturnType<typeof setTimeout> } = { key: one.key, stop };
    this.#under.set(one.slot, under);
    const ask = (): void => void this.#ask(one, stop);
    if (rest) under.timer = setTimeout(ask, rest);
    else ask();
  }

  async #ask(one: Wanted<T>, stop: AbortController): Promise<void> {
    try {
      const value = await one.ask(stop.signal);
      if (stop.signal.aborted) return;
      this.#keep(one.key, value);
      this.#put(one.slot, { key: one.key, of: one.key, value, error: null, isLoading: false });
    } catch (error) {
      if (stop.signal.aborted || isAborted(error)) return;
      this.#put(one.slot, { key: one.key, of: "", value: null, error, isLoading: false });
    }
    if (this.#under.get(one.slot)?.stop === stop) this.#under.delete(one.slot);
  }

  #put(slot: string, answer: Answer<T>): void {
    this.all = { ...this.all, [slot]: answer };
  }

  #keep(key: string, value: T): void {
    this.#kept.delete(key);
    this.#kept.set(key, value);
    for (const old of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) break;
      this.#kept.delete(old);
    }
  }

  #drop(slot: string): void {
    const under = this.#under.get(slot);
    clearTimeout(under?.timer);
    under?.stop.abort();
    this.#under.delete(slot);
  }
}
