/** The canvases of a map on top of each other, in an element. */
export type Layering = "below" | "values" | "above";
const ORDER: readonly Layering[] = ["below", "values", "above"];

export class Stage {
  readonly canvases: Record<Layering, HTMLCanvasElement>;
  width = 0;
  height = 0;
  ratio = 1;

  constructor(private readonly element: HTMLElement) {
    if (getComputedStyle(element).position === "static") element.style.position = "relative";
    const canvases = ORDER.map((name) => [name, canvasIn(element)] as const);
    this.canvases = Object.fromEntries(canvases) as Record<Layering, HTMLCanvasElement>;
  }

  /**
   * A canvas to draw on. Without a graphics card paths are drawn several times as fast by the processor than by WebGL in
   * software, which is what "read frequently" asks for. The first call decides.
   */
  context(name: Layering, isSoftware: boolean): CanvasRenderingContext2D {
    return this.canvases[name].getContext("2d", { alpha: name !== "below", willReadFrequently: isSoftware })!;
  }

  /** Takes the size of the element, and pixels for each of its pixels; whether that is another than before. */
  measure(ratio: number): boolean {
    const { clientWidth: width, clientHeight: height } = this.element;
    const isSame = width === this.width && height === this.height && ratio === this.ratio;
    Object.assign(this, { width, height, ratio });
    return !isSame;
  }

  /** Gives the canvases their size, which wipes those that had another; that of values may have fewer pixels. */
  fit(valuesRatio: number): void {
    for (const name of ORDER) {
      const ratio = name === "values" ? valuesRatio : this.ratio;
      const canvas = this.canvases[name];
      const width = Math.max(1, Math.round(this.width * ratio));
      const height = Math.max(1, Math.round(this.height * ratio));
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
    }
  }

  /** All of them as one picture, as they are now: drawn within this very task, for WebGL keeps nothing after it. */
  image(): Promise<Blob> {
    const whole = document.createElement("canvas");
    [whole.width, whole.height] = [this.canvases.below.width, this.canvases.below.height];
    const ctx = whole.getContext("2d")!;
    for (const name of ORDER) ctx.drawImage(this.canvases[name], 0, 0, whole.width, whole.height);
    return new Promise((resolve, reject) =>
      whole.toBlob(
        (blob) => (blob ? resolve(blob) : reject(new DOMException("The picture is too large."))),
        "image/png",
      ),
    );
  }

  /** Whether colours for the dark are in use where the map stands. */
  get isDark(): boolean {
    const scheme = getComputedStyle(this.element).colorScheme;
    if (!scheme.includes("dark")) return false;
    return !scheme.includes("light") || matchMedia("(prefers-color-scheme: dark)").matches;
  }

  /** Calls back when the size or the colours of the surroundings change; returns what ends that. */
  watch(resized: () => void, recolored: () => void): () => void {
    const off = new AbortController();
    const sizes = new ResizeObserver(resized);
    sizes.observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolored, { signal: off.signal });
    const scheme = new MutationObserver(recolored);
    scheme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-scheme"] });
    return () => {
      off.abort();
      sizes.disconnect();
      scheme.disconnect();
    };
  }

  destroy(): void {
    for (const canvas of Object.values(this.canvases)) {
      canvas.remove();
      // frees the pixels even where somebody still holds the canvas
      canvas.width = canvas.height = 0;
    }
  }
}

function canvasIn(container: HTMLElement): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.style.cssText = "position:absolute;inset:0;width:100%;height:100%;pointer-events:none";
  canvas.setAttribute("aria-hidden", "true");
  container.append(canvas);
  return canvas;
}
