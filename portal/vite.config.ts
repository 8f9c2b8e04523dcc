import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.TERRELLA ?? "http://127.0.0.1:8700";

/** Pages are served at the root of a site, their files under portal/: index.html says so, also behind a path prefix. */
const filesUnderPortal: Plugin = {
  name: "files-under-portal",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler: (html) => html.replaceAll(/(src|href)="\.\/(?=\w)/g, '$1="portal/'),
  },
};

/** Every path of the server that a page asks for; pages themselves are answered by Vite. */
const served = "^/(stac|ogc|tiles|zarr|discover|places|jobs|orders|account|connect|static|api|d|health)(/|$|\\?|\\.)";

export default defineConfig({
  base: "./",
  plugins: [svelte(), filesUnderPortal],
  server: {
    proxy: {
      [served]: {
        target: server,
        // what a browser opens as a page is the portal's, as on a real server
        bypass: (request) =>
          request.headers.accept?.includes("text/html") && !/^\/(static|connect|api|account\/)/.test(request.url ?? "")
            ? "/index.html"
            : undefined,
      },
    },
  },
  build: {
    outDir: "../src/terrella/portal",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { app: "index.html", embed: "src/embed/embed.ts" },
      // the embedding page names embed.js: its exports and name must stay
      preserveEntrySignatures: "exports-only",
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
  worker: { format: "es", rollupOptions: { output: { entryFileNames: "[name].js", chunkFileNames: "[name].js" } } },
  test: { include: ["src/**/*.test.ts"] },
});
