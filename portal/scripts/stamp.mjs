// Writes the hash of everything the build is made of beside what was built, so that a test can tell
// without Node whether the committed files are those of the committed sources.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const roots = ["index.html", "package.json", "package-lock.json", "vite.config.ts", "svelte.config.js", "src"];

function files(path) {
  try {
    return readdirSync(path)
      .sort()
      .flatMap((name) => files(`${path}/${name}`));
  } catch {
    return [path];
  }
}

const hash = createHash("sha256");
for (const path of roots
  .flatMap(files)
  .filter((path) => !path.endsWith(".test.ts"))
  .sort()) {
  hash.update(`${path}\0`).update(readFileSync(path)).update("\0");
}
const out = process.argv[2] ?? "../src/terrella/portal";
writeFileSync(join(out, "sources.sha256"), `${hash.digest("hex")}\n`);
