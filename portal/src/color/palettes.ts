/** Palettes as the server tells them, as bytes for the GPU and as pictures for people. */

export interface PaletteChoice {
  name: string;
  kind: "sequential" | "diverging" | "cyclic" | "other";
  /** Equal steps of value look like equal steps of colour. */
  isPerceptual: boolean;
  isSafe: boolean;
}

// Perceptual and colour-blind safe: as their authors say (Smith and van der Walt 2015; Nuñez, Anderton and Renslow 2018)
const KNOWN: Record<string, Omit<PaletteChoice, "name">> = {
  viridis: { kind: "sequential", isPerceptual: true, isSafe: true },
  cividis: { kind: "sequential", isPerceptual: true, isSafe: true },
  magma: { kind: "sequential", isPerceptual: true, isSafe: true },
  inferno: { kind: "sequential", isPerceptual: true, isSafe: true },
  plasma: { kind: "sequential", isPerceptual: true, isSafe: true },
  grey: { kind: "sequential", isPerceptual: true, isSafe: true },
  diverging: { kind: "diverging", isPerceptual: true, isSafe: true },
};

/** What is known of each palette, the trustworthy ones first. */
export function choices(names: readonly string[]): PaletteChoice[] {
  const made = names.map((name): PaletteChoice => {
    const known = KNOWN[name] ?? { kind: "other" as const, isPerceptual: false, isSafe: false };
    return { name, ...known };
  });
  const rank = (one: PaletteChoice): number => (one.isPerceptual ? 0 : 2) + (one.isSafe ? 0 : 1);
  return made.sort((a, b) => rank(a) - rank(b));
}

export const isReversed = (name: string): boolean => name.endsWith("_r");
export const plainName = (name: string): string => name.replace(/_r$/, "");
export const reversed = (name: string): string => (isReversed(name) ? plainName(name) : `${name}_r`);

const made = new WeakMap<Record<string, string[]>, Map<string, Uint8Array>>();

/** The 256 colours of a palette as RGB bytes; of one that is not known, greys. The same bytes for the same name. */
export function colorsOf(palettes: Record<string, string[]>, name: string): Uint8Array {
  let kept = made.get(palettes);
  if (!kept) made.set(palettes, (kept = new Map()));
  let bytes = kept.get(name);
  if (!bytes) {
    const known = palettes[name] ?? palettes[plainName(name)];
    bytes = known ? bytesOf(palettes[name] || !isReversed(name) ? known : known.toReversed()) : greys();
    kept.set(name, bytes);
  }
  return bytes;
}

function bytesOf(colors: readonly string[]): Uint8Array {
  const bytes = new Uint8Array(768);
  for (let index = 0; index < 256; index++) {
    const hex = colors[Math.round((index / 255) * (colors.length - 1))] ?? "#000000";
    const value = Number.parseInt(hex.slice(1, 7), 16);
    bytes.set([(value >> 16) & 255, (value >> 8) & 255, value & 255], index * 3);
  }
  return bytes;
}

const greys = (): Uint8Array => Uint8Array.from({ length: 768 }, (_, index) => Math.floor(index / 3));

/** The colour at a share of the ramp (0 to 1), in classes where there are some; as the shader chooses it. */
export function colorAt(colors: Uint8Array, share: number, classes = 0): [number, number, number] {
  const inside = Math.min(1, Math.max(0, share));
  const placed = classes > 0 ? Math.min(classes - 1, Math.floor(inside * classes)) / Math.max(classes - 1, 1) : inside;
  const index = Math.round(placed * 255) * 3;
  return [colors[index]!, colors[index + 1]!, colors[index + 2]!];
}

/** Where a value lies between the ends of a range, 0 to 1 and beyond; 0.5 where both ends are the same. */
export const shareOf = (value: number, [low, high]: readonly [number, number]): number =>
  high === low ? (value < low ? 0 : value > low ? 1 : 0.5) : (value - low) / (high - low);

/** Draws a ramp from left to right. */
export function paintRamp(canvas: HTMLCanvasElement, colors: Uint8Array, classes = 0): void {
  const context = canvas.getContext("2d");
  if (!context || !canvas.width || !canvas.height) return;
  const row = context.createImageData(canvas.width, canvas.height);
  for (let x = 0; x < canvas.width; x++) {
    const color = colorAt(colors, (x + 0.5) / canvas.width, classes);
    for (let y = 0; y < canvas.height; y++) row.data.set([...color, 255], (y * canvas.width + x) * 4);
  }
  context.putImageData(row, 0, 0);
}
