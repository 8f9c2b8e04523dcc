/** Sizes and counts for people. */

export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  const [size, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${unit}`;
}

export const secondsText = (seconds: number): string =>
  seconds < 1
    ? "less than a second"
    : seconds < 90
      ? `${Math.round(seconds)} seconds`
      : `${Math.round(seconds / 60)} minutes`;

/** Narrow spaces between thousands, from five digits on. */
export const countText = (count: number): string =>
  count < 10_000 ? String(count) : String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");
