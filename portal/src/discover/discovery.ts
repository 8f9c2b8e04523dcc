/** What /discover answers, and how it is asked. */
import { at, part } from "../api/root";
import { json } from "../api/http";
import { written, type FacetName, type Search } from "./query";

export interface Card {
  id: string;
  title: string;
  description: string;
  bbox: [number, number, number, number] | null;
  interval: [string | null, string | null];
  variables: { name: string; title: string; units: string; id: string }[];
  resolution_m: number | null;
  grid: string | null;
  license: string;
  providers: string[];
  keywords: string[];
  themes: { id: string; title: string }[];
  items: number | null;
  has: string[];
  access: { state: "open" | "account" | "request"; title: string; in_part: boolean };
  provider: string;
  updated: string | null;
  thumbnail: { href: string; bbox: [number, number, number, number]; width: number; height: number } | null;
  links: { stac: string; connect: string; ogc?: string; tiles?: string; zarr?: string };
}

export interface FacetValue {
  value: string;
  title: string;
  count: number;
  chosen?: boolean;
}

export interface Source {
  provider: string;
  state: "ok" | "late" | "failed";
  matched: number;
  seconds: number;
  message?: string;
}

export interface Answer {
  matched: number;
  returned: number;
  collections: Card[];
  /** On first pages. */
  facets?: Record<FacetName, { values: FacetValue[]; more: number }>;
  next: string | null;
  span: [string | null, string | null];
  partial: boolean;
  sources: Source[];
}

const PAGE = 24;

/** One page. Throws Failure, AbortError. */
export function discover(
  search: Search,
  token: string | null,
  signal?: AbortSignal,
  limit: number = PAGE,
): Promise<Answer> {
  const address = at("discover", { limit, token });
  for (const [name, value] of new URLSearchParams(written(search))) address.searchParams.append(name, value);
  return json<Answer>(address, signal ? { signal } : {});
}

/** Whether a card's collection can be put on the map. */
export const canBeDrawn = (card: Card): boolean => Boolean(card.links.tiles) && card.access.state === "open";

/** Where each interface has a collection, at the address by which the page itself reaches the site. */
export function addresses(card: Card): Partial<Record<keyof Card["links"], string>> {
  const id = part(card.id);
  const places = {
    stac: `stac/collections/${id}`,
    ogc: `ogc/collections/${id}`,
    zarr: `zarr/${id}`,
    tiles: `tiles/${id}`,
  };
  const found: Partial<Record<keyof Card["links"], string>> = {
    connect: at("connect", { collection: card.id }).href,
  };
  for (const [name, path] of Object.entries(places) as [keyof typeof places, string][])
    if (card.links[name]) found[name] = at(path).href;
  return found;
}

/** Where its picture is. */
export function picture(card: Card): string | null {
  if (!card.thumbnail) return null;
  const address = at(`tiles/${part(card.id)}/thumbnail`);
  address.search = new URL(card.thumbnail.href, location.href).search;
  return address.href;
}
