/** What a question takes, as `.../estimate` says it. */
import type { Estimate } from "../api/edr";

export interface Verdict {
  passes: boolean;
  why?: string;
  /** The part of a smaller question that differs, in EDR's words. */
  suggestion?: Record<string, unknown>;
}

export interface Price extends Estimate {
  at_once: Verdict;
  as_job: Verdict;
}

/** One quota, as /account tells it. */
export interface Quota {
  quota: string;
  per: string;
  counted: string;
  resets: string;
  amounts: Record<string, { limit: number; spent: number; left: number }>;
  collections?: string[];
}
