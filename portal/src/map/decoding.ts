/** Tiles of values as they come: little-endian uint16, each row its first number and then differences, modulo 65536. */
import { BORDERED } from "./quads";

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The numbers of a tile, with its border; null where all are 0, which is no data. Throws RangeError for another length. */
export function decoded(bytes: ArrayBuffer): Uint16Array<ArrayBuffer> | null {
  if (bytes.byteLength !== 2 * BORDERED * BORDERED) throw new RangeError(`${bytes.byteLength}`);
  const numbers = isLittleEndian ? new Uint16Array(bytes) : swapped(bytes);
  let any = 0;
  for (let row = 0; row < BORDERED; row++) {
    const start = row * BORDERED;
    let sum = 0;
    for (let at = start; at < start + BORDERED; at++) {
      sum = (sum + numbers[at]!) & 0xffff;
      numbers[at] = sum;
      any |= sum;
    }
  }
  return any === 0 ? null : numbers;
}

function swapped(bytes: ArrayBuffer): Uint16Array<ArrayBuffer> {
  const view = new DataView(bytes);
  return Uint16Array.from({ length: bytes.byteLength / 2 }, (_, at) => view.getUint16(2 * at, true));
}
