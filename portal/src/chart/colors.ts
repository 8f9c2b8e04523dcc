/** Colours of charts: tokens of the page, resolved for canvases and files, which know no names. */

export const COLORS = 8;
export const DASHES: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3], [14, 4], [5, 2, 1, 2, 1, 2]];

/** As in style/tokens.css, for embeds on pages without it. */
const PLAIN = {
  "--chart-1": ["#0068a8", "#56b4e9"],
  "--chart-2": ["#c24a00", "#ff9f45"],
  "--chart-3": ["#00795a", "#2ed3a0"],
  "--chart-4": ["#a5478a", "#ee9bd0"],
  "--chart-5": ["#857000", "#efe04a"],
  "--chart-6": ["#5b3fb8", "#b3a2ff"],
  "--chart-7": ["#3d4a55", "#cfd8df"],
  "--chart-8": ["#b3261e", "#ff8b82"],
  "--ink": ["#14202b", "#e8eef3"],
  "--ink-2": ["#4a5966", "#a9b6c1"],
  "--line": ["#d5dbe1", "#2b3742"],
  "--line-strong": ["#808b96", "#66747f"],
  "--panel": ["#ffffff", "#141b22"],
  "--panel-2": ["#eef1f4", "#1c252e"],
  "--accent": ["#0b5cad", "#6db8ff"],
} as const;

export interface Ink {
  lines: string[];
  ink: string;
  faint: string;
  grid: string;
  edge: string;
  panel: string;
  marker: string;
  missing: string;
}

const kept = new Map<string, Ink>();

/** The colours of a scheme: of the page as it is, or "light" for files, which are for paper. */
export function inkOf(scheme: "page" | "light" = "page", near: Element = document.body): Ink {
  const dark = scheme === "page" && isDark(near);
  const key = dark ? "dark" : "light";
  let found = kept.get(key);
  if (!found) kept.set(key, (found = resolved(key, near)));
  return found;
}

/** Whether a part of the page is dark: as its style says, else as the system does. */
export function isDark(near: Element = document.documentElement): boolean {
  const scheme = getComputedStyle(near).colorScheme;
  if (!scheme.includes("dark")) return false;
  return !scheme.includes("light") || matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Calls back when the page becomes dark or light; answers what ends it. */
export function onScheme(changed: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  const watch = new MutationObserver(changed);
  media.addEventListener("change", changed);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-scheme"] });
  return () => {
    media.removeEventListener("change", changed);
    watch.disconnect();
  };
}

function resolved(scheme: "dark" | "light", near: Element): Ink {
  const probe = document.createElement("span");
  probe.style.colorScheme = scheme;
  probe.hidden = true;
  near.append(probe); // within a shadow root the tokens may be its own
  const of = (name: keyof typeof PLAIN): string => {
    const [light, dark] = PLAIN[name];
    probe.style.color = `var(${name}, light-dark(${light}, ${dark}))`;
    return getComputedStyle(probe).color;
  };
  const ink = {
    lines: Array.from({ length: COLORS }, (_, n) => of(`--chart-${n + 1}` as keyof typeof PLAIN)),
    ink: of("--ink"),
    faint: of("--ink-2"),
    grid: of("--line"),
    edge: of("--line-strong"),
    panel: of("--panel"),
    marker: of("--accent"),
    missing: of("--panel-2"),
  };
  probe.remove();
  return ink;
}

/** A colour with some of it taken away. */
export function faded(color: string, alpha: number): string {
  const parts = color.match(/[\d.]+/g);
  return parts && parts.length >= 3 ? `rgba(${parts[0]}, ${parts[1]}, ${parts[2]}, ${alpha})` : color;
}
