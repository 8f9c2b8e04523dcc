/** Colours of the Earth on a canvas, from the design tokens where a page has them. */
export interface Ink {
  space: string;
  ocean: string;
  land: string;
  coast: string;
  border: string;
  graticule: string;
  name: string;
  /** Around names. */
  halo: string;
  /** Along coasts. */
  breath: string;
}

/** As in style/tokens.css, for embeds on pages without it. */
const plain: Record<keyof Ink, [light: string, dark: string]> = {
  space: ["#eef2f5", "#070b0f"],
  ocean: ["#dfe8ee", "#0f1a24"],
  land: ["#f3f1ec", "#22303b"],
  coast: ["#1d2b36cc", "#dbe6eecc"],
  border: ["#1d2b3666", "#dbe6ee66"],
  graticule: ["#1d2b3626", "#dbe6ee26"],
  name: ["#14202b", "#e8eef3"],
  halo: ["#ffffffb8", "#0b1218b8"],
  breath: ["#ffffff59", "#0b121866"],
};
const tokens: Partial<Record<keyof Ink, string>> = {
  space: "--space",
  ocean: "--ocean",
  land: "--land",
  coast: "--coast",
  border: "--border",
  graticule: "--graticule",
  name: "--ink",
};
const made = new WeakMap<Element, Map<boolean, Ink>>();

/** The colours where a canvas stands. */
export function inkOf(canvas: HTMLCanvasElement | OffscreenCanvas, dark: boolean): Ink {
  const isElement = typeof HTMLCanvasElement !== "undefined" && canvas instanceof HTMLCanvasElement;
  if (!isElement) return read(() => "", dark);
  const known = made.get(canvas) ?? new Map<boolean, Ink>();
  made.set(canvas, known);
  let ink = known.get(dark);
  if (!ink && canvas.isConnected) {
    const style = getComputedStyle(canvas);
    ink = read((token) => style.getPropertyValue(token), dark);
    known.set(dark, ink);
  }
  return ink ?? read(() => "", dark);
}

function read(valueOf: (token: string) => string, dark: boolean): Ink {
  const names = Object.keys(plain) as (keyof Ink)[];
  return Object.fromEntries(
    names.map((name) => {
      const token = tokens[name];
      return [name, (token && chosen(valueOf(token), dark)) || plain[name][dark ? 1 : 0]];
    }),
  ) as unknown as Ink;
}

/** One of the two colours of light-dark(), which a canvas does not understand. */
export function chosen(value: string, dark: boolean): string {
  const pair = /^\s*light-dark\(\s*([^,()]+)\s*,\s*([^,()]+)\s*\)\s*$/.exec(value);
  return (pair ? pair[dark ? 2 : 1]! : value).trim();
}
