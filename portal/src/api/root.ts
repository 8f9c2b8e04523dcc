/** Address of the site, with a slash at its end; also behind a path prefix, and in embeds on pages of others. */
export const root: URL = import.meta.env.DEV
  ? new URL("/", location.href)
  : new URL(/* @vite-ignore */ "../", import.meta.url);

/** An address of the site: `at("ogc/collections/x/position", { coords: "POINT(1 2)" })`. Undefined and null are left out. */
export function at(path: string, query: Record<string, string | number | boolean | null | undefined> = {}): URL {
  const address = new URL(path, root);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null) address.searchParams.set(name, String(value));
  }
  return address;
}

/** One part of a path, whatever it holds. */
export const part = (text: string): string => encodeURIComponent(text);
