/** The one view that all parts of the portal look at and change; it and the address always say the same. */
import { read, written } from "./address";
import { emptyView, freeId, newLayer, type LayerView, type View } from "./view";

export type PageName = "explore" | "discover" | "jobs" | "account";
const PAGES: Record<string, PageName> = {
  "": "explore",
  explore: "explore",
  discover: "discover",
  jobs: "jobs",
  account: "account",
};

/** The last part of a path names the page: the site may live behind a prefix. */
function pageOf(path: string): PageName {
  return PAGES[path.split("/").pop() ?? ""] ?? "explore";
}

class Portal {
  page = $state<PageName>(pageOf(location.pathname));
  view = $state<View>(read(location.search));
  /** Query of pages that are not views of the map (discover): they read and write it themselves. */
  query = $state(location.search);
  /** Whether the address named a view; without one the page chooses what to show first. */
  readonly isFresh = !new URLSearchParams(location.search).has("l");
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the address will say next. */
  #query = "";

  constructor() {
    addEventListener("popstate", () => this.#restore());
    $effect.root(() => {
      $effect(() => {
        if (this.page !== "explore") return;
        this.#query = written(this.view);
        // browsers refuse more than a hundred changes of the address in half a minute; and while time plays there is
        // no rest to wait for
        this.#timer ??= setTimeout(() => {
          this.#timer = undefined;
          history.replaceState(null, "", `explore?${this.#query}`);
        }, 350);
      });
    });
  }

  /** Goes to a page, as a link would. */
  go(page: PageName, query = ""): void {
    if (this.page === "explore") history.replaceState(null, "", `explore?${written(this.view)}`);
    const search = page === "explore" && !query ? `?${written(this.view)}` : query && `?${query.replace(/^\?/, "")}`;
    history.pushState(null, "", `${page}${search}`);
    this.#restore();
  }

  /** Writes the query of a page that keeps its own; `remember` makes a step that Back undoes. */
  put(query: string, remember = false): void {
    const address = `${this.page}${query && `?${query}`}`;
    if (remember) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    this.query = query && `?${query}`;
  }

  /** Address of the view as it is now, whole, to share. */
  get link(): string {
    return new URL(`explore?${written(this.view)}`, location.href).href;
  }

  /** Puts a layer on top and answers its id. */
  add(collection: string, variable: string | null = null, look: Partial<LayerView> = {}): string {
    const id = freeId(this.view.layers.map((one) => one.id));
    this.view.layers.push({ ...newLayer(id, collection, variable), ...look, id });
    return id;
  }

  remove(id: string): void {
    this.view.layers = this.view.layers.filter((one) => one.id !== id);
    if (this.view.compare?.a === id) this.view.compare = null;
    if (this.view.cube?.layer === id) this.view.cube = null;
  }

  /** The layer that panels are about: the chosen one, else the topmost that is shown. */
  chosen = $state<string | null>(null);
  get layer(): LayerView | null {
    const { layers } = this.view;
    return layers.find((one) => one.id === this.chosen) ?? layers.findLast((one) => one.shown) ?? layers.at(-1) ?? null;
  }

  clear(): void {
    this.view = emptyView();
  }

  #restore(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.page = pageOf(location.pathname);
    this.query = location.search;
    if (this.page === "explore") this.view = read(location.search);
  }
}

export const portal = new Portal();
