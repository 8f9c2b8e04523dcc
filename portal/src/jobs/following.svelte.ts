/**
 * Jobs that are known here, kept up to date until they end. Visitors are told of no jobs but by their ids: those that
 * were handed over with this browser are remembered in it, so that they are found again after a reload.
 */
import { SvelteMap } from "svelte/reactivity";
import { Failure, json, send } from "../api/http";
import { at, part } from "../api/root";

export type State = "accepted" | "running" | "successful" | "failed" | "dismissed";

/** A job as OGC API - Processes tells it, with what the site says besides. */
export interface Job {
  jobID: string;
  processID: string;
  status: State;
  title?: string;
  message?: string;
  created: string;
  started?: string;
  finished?: string;
  updated: string;
  progress: number;
  attempts?: number;
  dialect?: string;
}

export interface Output {
  href: string;
  type: string;
  title: string;
  length: number;
}

export const hasEnded = (job: Job): boolean => ["successful", "failed", "dismissed"].includes(job.status);

const KEPT = "terrella.jobs";
const MOST = 50;
/** Milliseconds between two looks, growing while nothing changes. */
const SOON = 700;
const LATE = 4000;

function remembered(): string[] {
  try {
    const said: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(said) ? said.filter((one): one is string => typeof one === "string").slice(0, MOST) : [];
  } catch {
    return []; // private windows have no storage: then a reload forgets
  }
}

function remember(ids: readonly string[]): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(ids.slice(0, MOST)));
  } catch {
    // as above
  }
}

class Jobs {
  readonly #known = new SvelteMap<string, Job>();
  /** Ids of this browser, the newest first. */
  own = $state.raw<string[]>(remembered());
  /** Ended while somebody looked on: to be said aloud. */
  ended = $state.raw<Job | null>(null);
  #wait = SOON;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    addEventListener("visibilitychange", () => !document.hidden && this.#soon());
    if (this.own.length) void this.#lookAll();
  }

  /** All that are known, the newest first. */
  readonly list = $derived([...this.#known.values()].sort((a, b) => b.created.localeCompare(a.created)));

  recent(most: number): Job[] {
    return this.list.filter((one) => this.own.includes(one.jobID)).slice(0, most);
  }

  /** A job that was just handed over. */
  add(job: Job): void {
    this.own = [job.jobID, ...this.own.filter((one) => one !== job.jobID)].slice(0, MOST);
    remember(this.own);
    this.put([job]);
  }

  put(found: readonly Job[]): void {
    for (const job of found) {
      const before = this.#known.get(job.jobID);
      if (before && hasEnded(job) && !hasEnded(before)) this.ended = job;
      this.#known.set(job.jobID, job);
    }
    this.#soon();
  }

  /** Off the list of this browser; at the site it stays. */
  forget(id: string): void {
    this.own = this.own.filter((one) => one !== id);
    remember(this.own);
    this.#known.delete(id);
  }

  async cancel(id: string): Promise<void> {
    this.put([await send<Job>("DELETE", at(`jobs/${part(id)}`))]);
  }

  /** One page of the caller's jobs; its answer is the address of the next page. */
  async page(next: string | null, state: string): Promise<string | null> {
    const address = next ?? at("jobs", { limit: 30, status: state || null });
    const said = await json<{ jobs: Job[]; links: { rel: string; href: string }[] }>(address);
    this.put(said.jobs);
    return said.links.find((one) => one.rel === "next")?.href ?? null;
  }

  async #lookAll(): Promise<void> {
    await Promise.all(this.own.slice(0, 20).map((id) => this.#look(id)));
    this.#soon();
  }

  async #look(id: string): Promise<void> {
    try {
      const job = await json<Job>(at(`jobs/${part(id)}`));
      if (this.#known.get(id)?.updated !== job.updated) this.#wait = SOON;
      this.put([job]);
    } catch (error) {
      // gone, or somebody else's by now; a server that is away comes back
      if (error instanceof Failure && error.status === 404) this.forget(id);
    }
  }

  #soon(): void {
    clearTimeout(this.#timer);
    const open = this.list.filter((one) => !hasEnded(one)).slice(0, 10);
    if (!open.length || document.hidden) return;
    this.#timer = setTimeout(() => {
      this.#wait = Math.min(LATE, this.#wait * 1.3);
      void Promise.all(open.map((one) => this.#look(one.jobID))).then(() => this.#soon());
    }, this.#wait);
  }
}

export const jobs = new Jobs();
