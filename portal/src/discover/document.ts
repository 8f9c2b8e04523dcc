/** A collection's STAC document, as far as the page of details reads it; whatever is of another shape is left out. */
import { json } from "../api/http";

export interface Variable {
  name: string;
  title: string;
  units: string;
  standard: string;
  dimensions: string[];
}
export interface Dimension {
  name: string;
  kind: string;
  count: number | null;
  from: string;
  to: string;
  units: string;
}
export interface Details {
  title: string;
  description: string;
  variables: Variable[];
  dimensions: Dimension[];
  providers: { name: string; roles: string[]; url: string | null }[];
  citation: string;
  doi: string;
  attribution: string;
  license: string;
  licenseLink: string | null;
  keywords: string[];
  updated: string;
}

type Doc = Record<string, unknown>;
const doc = (value: unknown): Doc =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Doc) : {};
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const words = (value: unknown): string => (typeof value === "string" ? value : "");
const short = (value: unknown): string =>
  value === null || value === undefined ? "" : String(value).replace(/T00:00:00Z$/, "");

/** Only addresses of the web: a document is not ours. */
export function webAddress(value: unknown): string | null {
  try {
    const address = new URL(words(value));
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
  } catch {
    return null;
  }
}

/** Reads a document. */
export function read(document: unknown): Details {
  const whole = doc(document);
  const license = list(whole.links)
    .map(doc)
    .find((one) => one.rel === "license");
  return {
    title: words(whole.title) || words(whole.id),
    description: words(whole.description),
    variables: Object.entries(doc(whole["cube:variables"])).map(([name, said]) => variable(name, doc(said))),
    dimensions: Object.entries(doc(whole["cube:dimensions"])).map(([name, said]) => dimension(name, doc(said))),
    providers: list(whole.providers)
      .map(doc)
      .map((one) => ({
        name: words(one.name),
        roles: list(one.roles).map(words).filter(Boolean),
        url: webAddress(one.url),
      }))
      .filter((one) => one.name),
    citation: words(whole["sci:citation"]),
    doi: words(whole["sci:doi"]),
    attribution: words(whole.attribution),
    license: words(whole.license) || "other",
    licenseLink: license ? webAddress(license.href) : null,
    keywords: list(whole.keywords).map(words).filter(Boolean),
    updated: words(whole.updated),
  };
}

function variable(name: string, said: Doc): Variable {
  return {
    name,
    title: words(said.description),
    units: words(said.unit),
    standard: words(said.standard_name),
    dimensions: list(said.dimensions).map(words).filter(Boolean),
  };
}

function dimension(name: string, said: Doc): Dimension {
  const values = list(said.values);
  const [from, to] = list(said.extent).length === 2 ? list(said.extent) : [values[0], values.at(-1)];
  return {
    name,
    kind: words(said.axis) || words(said.type),
    count: values.length || null,
    from: short(from),
    to: short(to),
    units: words(said.unit),
  };
}

/** Fetches it. Throws Failure, AbortError. */
export const details = async (address: string, signal: AbortSignal): Promise<Details> =>
  read(await json<unknown>(address, { signal }));

/** Lines of code for each client. */
export async function code(address: string, signal: AbortSignal): Promise<Record<string, string>> {
  const asked = new URL(address);
  asked.searchParams.set("f", "json");
  const found = await json<Record<string, unknown>>(asked, { signal });
  return Object.fromEntries(Object.entries(found).filter((one): one is [string, string] => typeof one[1] === "string"));
}
