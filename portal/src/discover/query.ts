/** A search as the query of an address, and back: what cannot be read is left out, so that old links keep working. */

export const FACETS = ["theme", "variable", "resolution", "has", "access", "license", "provider"] as const;
export type FacetName = (typeof FACETS)[number];
export const SORTS = ["", "title", "-updated", "begin", "-end", "resolution", "-items"] as const;
export type Sort = (typeof SORTS)[number];
/** West, south, east, north in degrees; west beyond east crosses the antimeridian. */
export type Box = [number, number, number, number];

export interface Search {
  q: string;
  bbox: Box | null;
  /** Days: 2015-01-16; '' is open. */
  from: string;
  to: string;
  facets: Record<FacetName, string[]>;
  /** '' is as usual: by relevance where there is a text, else by title. */
  sort: Sort;
}

/** One part of a search that can be dropped. */
export type Part =
  { kind: "q" } | { kind: "bbox" } | { kind: "time" } | { kind: "facet"; facet: FacetName; value: string };

export const nothing = (): Search => ({
  q: "",
  bbox: null,
  from: "",
  to: "",
  facets: Object.fromEntries(FACETS.map((name) => [name, []])) as unknown as Search["facets"],
  sort: "",
});

const DAY = /^\d{4}-\d\d-\d\d$/;

/** The search of an address' query. */
export function read(query: string): Search {
  const given = new URLSearchParams(query);
  const search = nothing();
  search.q = (given.get("q") ?? "").slice(0, 500);
  search.bbox = box(given.get("bbox"));
  const [from, to] = (given.get("datetime") ?? "").split("/");
  if (from && DAY.test(from)) search.from = from;
  if (to && DAY.test(to)) search.to = to;
  for (const facet of FACETS)
    search.facets[facet] = [...new Set(given.getAll(facet).map((one) => one.trim()))].filter(
      (one) => one && one.length <= 200,
    );
  search.sort = SORTS.find((one) => one === given.get("sort")) ?? "";
  return search;
}

/** The query of a search, as the page's address has it and as the server takes it; no question mark. */
export function written(search: Search): string {
  const query = new URLSearchParams();
  if (search.q.trim()) query.set("q", search.q.trim());
  if (search.bbox) query.set("bbox", search.bbox.join(","));
  if (search.from || search.to) query.set("datetime", `${search.from || ".."}/${search.to || ".."}`);
  for (const facet of FACETS) for (const value of search.facets[facet]) query.append(facet, value);
  if (search.sort) query.set("sort", search.sort);
  return query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
}

/** A box of four numbers that make one. */
export function box(text: string | null): Box | null {
  const numbers = (text ?? "").split(",").map((one) => (one.trim() === "" ? NaN : Number(one)));
  if (numbers.length !== 4 || !numbers.every(Number.isFinite)) return null;
  const [west, south, east, north] = numbers as Box;
  const isBox =
    south < north && south >= -90 && north <= 90 && Math.abs(west) <= 180 && Math.abs(east) <= 180 && west !== east;
  return isBox ? [west, south, east, north] : null;
}

/** With a value of a facet, or without it where it was there. */
export function toggled(search: Search, facet: FacetName, value: string): Search {
  const before = search.facets[facet];
  const after = before.includes(value) ? before.filter((one) => one !== value) : [...before, value];
  return { ...search, facets: { ...search.facets, [facet]: after } };
}

/** Everything that narrows a search, in the order in which people see it. */
export function parts(search: Search): Part[] {
  const found: Part[] = [];
  if (search.q.trim()) found.push({ kind: "q" });
  if (search.bbox) found.push({ kind: "bbox" });
  if (search.from || search.to) found.push({ kind: "time" });
  for (const facet of FACETS) for (const value of search.facets[facet]) found.push({ kind: "facet", facet, value });
  return found;
}

/** Without one part. */
export function without(search: Search, part: Part): Search {
  if (part.kind === "q") return { ...search, q: "" };
  if (part.kind === "bbox") return { ...search, bbox: null };
  if (part.kind === "time") return { ...search, from: "", to: "" };
  return toggled(search, part.facet, part.value);
}
