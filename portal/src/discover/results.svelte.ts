/**
 * What was found for the search of the page, page by page. It outlives the page: whoever comes back from the map finds
 * the list as it was, at the same place.
 */
import { isAborted } from "../api/http";
import { discover, type Answer, type Card } from "./discovery";
import { written, type Search } from "./query";

class Results {
  /** The query that is shown. */
  query = $state<string | null>(null);
  cards = $state.raw<Card[]>([]);
  /** The first page: counts, facets, sources. */
  first = $state.raw<Answer | null>(null);
  isLoading = $state(false);
  isLoadingMore = $state(false);
  error = $state.raw<unknown>(null);
  moreError = $state.raw<unknown>(null);
  /** The first card that was to be seen when the page was left, and where it stood in the window. */
  anchor: { id: string; top: number } | null = null;
  #next = $state<string | null>(null);
  #asking: AbortController | null = null;

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** Finds what matches, unless that is what is shown. */
  async show(search: Search, again = false): Promise<void> {
    const query = written(search);
    if (!again && query === this.query && !this.error) return;
    this.#asking?.abort();
    const asking = (this.#asking = new AbortController());
    this.query = query;
    this.isLoading = true;
    this.isLoadingMore = false;
    this.error = this.moreError = null;
    try {
      const answer = await discover(search, null, asking.signal);
      this.first = answer;
      this.cards = answer.collections;
      this.#next = answer.next;
      this.anchor = null;
    } catch (error) {
      if (isAborted(error)) return;
      this.error = error;
    }
    this.isLoading = false;
  }

  /** The next page, behind the others. */
  async more(search: Search): Promise<void> {
    if (!this.#next || this.isLoading || this.isLoadingMore || written(search) !== this.query) return;
    const asking = this.#asking ?? new AbortController();
    this.isLoadingMore = true;
    this.moreError = null;
    try {
      const answer = await discover(search, this.#next, asking.signal);
      if (asking.signal.aborted) return;
      const known = new Set(this.cards.map((one) => one.id));
      this.cards = [...this.cards, ...answer.collections.filter((one) => !known.has(one.id))];
      this.#next = answer.next;
    } catch (error) {
      if (isAborted(error)) return;
      this.moreError = error;
    }
    this.isLoadingMore = false;
  }
}

export const results = new Results();
