/** Numbers as people read them. */

const MINUS = "−";
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** Decimals that tell apart values `step` away from each other. */
export function decimalsFor(step: number): number {
  if (!(step > 0) || !Number.isFinite(step)) return 6;
  const digits = -Math.floor(Math.log10(step) + 1e-9);
  // 0.05 needs two, 0.25 as well: as many as the step itself is written with, but no tail of binary dust
  const written = Number(step.toPrecision(2));
  return Math.max(
    0,
    Math.min(100, Math.round(written * 10 ** digits) === written * 10 ** digits ? digits : digits + 1),
  );
}

/** A value, told as finely as `step` says; tiny and huge ones as powers of ten. */
export function spokenNumber(value: number, step: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? `${MINUS}∞` : "–";
  const size = Math.abs(value);
  if (size === 0 && step < 1e-3) return "0";
  if (size >= 1e7 || (size > 0 && size < 1e-3 && step < 1e-4)) return powered(value, step);
  const decimals = Math.min(12, decimalsFor(step));
  const text = size.toFixed(decimals);
  const isZero = Number(text) === 0;
  return (value < 0 && !isZero ? MINUS : "") + grouped(text);
}

function powered(value: number, step: number): string {
  if (value === 0) return "0";
  const power = Math.floor(Math.log10(Math.abs(value)));
  const digits = Math.max(0, Math.min(6, decimalsFor(step / 10 ** power)));
  const front = (Math.abs(value) / 10 ** power).toFixed(digits);
  const raised = [...String(Math.abs(power))].map((one) => RAISED[Number(one)]).join("");
  return `${value < 0 ? MINUS : ""}${front} × 10${power < 0 ? "⁻" : ""}${raised}`;
}

/** Narrow spaces between thousands, from five digits on. */
function grouped(text: string): string {
  const [whole = "", rest] = text.split(".");
  const spaced = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, "\u202f") : whole;
  return rest === undefined ? spaced : `${spaced}.${rest}`;
}

/** Round numbers between two ends, about `about` of them: steps of 1, 2 or 5 times a power of ten. */
export function niceTicks(low: number, high: number, about: number): { values: number[]; step: number } {
  const [from, to] = low <= high ? [low, high] : [high, low];
  const span = to - from;
  if (!(span > 0) || !Number.isFinite(span))
    return { values: Number.isFinite(low) ? [low] : [], step: Math.abs(low) / 1000 };
  const rough = span / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return {
    values: Array.from({ length: Math.max(0, Math.min(100, count)) }, (_, index) =>
      Number(((first + index) * step).toPrecision(12)),
    ),
    step,
  };
}

/** A number to put into a field: short, in plain digits, and read back as it was to six figures. */
export const written = (value: number): string => (Number.isFinite(value) ? String(Number(value.toPrecision(6))) : "");

/** A number that somebody typed; commas of other languages are understood. Null for what is none. */
export function typed(text: string): number | null {
  const clean = text
    .trim()
    .replace(MINUS, "-")
    .replace(/[\s\u202f]/g, "")
    .replace(/^(-?\d*),(\d+)$/, "$1.$2");
  const value = clean === "" ? NaN : Number(clean);
  return Number.isFinite(value) ? value : null;
}

/** 12.5° N, 45.25° E */
export function spokenPlace([lon, lat]: readonly [number, number], decimals = 2): string {
  const side = ((((lon + 180) % 360) + 360) % 360) - 180;
  const north = `${Math.abs(lat).toFixed(decimals)}° ${lat < 0 ? "S" : "N"}`;
  return `${north}, ${Math.abs(side).toFixed(decimals)}° ${side < 0 ? "W" : "E"}`;
}
