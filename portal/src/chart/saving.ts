/** Files on the visitor's own machine. */

/** A name that says what is in it and that every system takes: letters, figures, dots, hyphens, underscores. */
export function fileName(parts: readonly (string | number | null | undefined)[], suffix: string): string {
  const words = parts
    .filter((one) => one !== null && one !== undefined && one !== "")
    .map((one) =>
      String(one)
        .normalize("NFKD")
        .replace(/[\u0300-\u036f]/g, "")
        .replace(/[^A-Za-z0-9.-]+/g, "-")
        .replace(/\.{2,}/g, ".")
        .replace(/^[-.]+|[-.]+$/g, ""),
    )
    .filter(Boolean);
  // some systems stop at 255 bytes, with what they add themselves
  return `${
    words
      .join("_")
      .slice(0, 120)
      .replace(/[-_.]+$/, "") || "terrella"
  }.${suffix}`;
}

export function save(content: Blob | string, name: string, type = "text/plain"): void {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** An SVG as PNG, `scale` pixels for each of its own. Throws where the browser cannot. */
export async function pngOf(svg: string, scale = 2): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth * scale;
    canvas.height = image.naturalHeight * scale;
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise<Blob>((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("PNG"))), "image/png"),
    );
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** The first and the last days of a time axis, for names of files. */
export const spanOf = (times: readonly string[]): string[] =>
  times.length > 1 ? [times[0]!.slice(0, 10), times.at(-1)!.slice(0, 10)] : times.map((one) => one.slice(0, 10));
