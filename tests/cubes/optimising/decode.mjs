// Decodes arrays of a Zarr folder with zarrita, as a browser would, and prints their values: node decode.mjs STORE PATH...
import { readFile } from "node:fs/promises";
import * as zarr from "zarrita";

const [folder, ...paths] = process.argv.slice(2);

const store = {
  async get(key) {
    try {
      return new Uint8Array(await readFile(folder + key));
    } catch {
      return undefined;
    }
  },
};

const found = {};
for (const path of paths) {
  const array = await zarr.open.v3(zarr.root(store).resolve(path), { kind: "array" });
  const { data, shape } = await zarr.get(array);
  const { scale_factor: scale = 1, add_offset: offset = 0, _FillValue: fill } = array.attrs;
  const values = Array.from(data, (one) => (one === fill || Number.isNaN(one) ? null : one * scale + offset));
  found[path] = { shape, values };
}
console.log(JSON.stringify(found));
