import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { drawMaps } from "./maps";

const INTER = "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2";

/** The typeface of every page, under the name that tokens.css asks for. */
const inter: Plugin = {
  name: "inter",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "inter.woff2", source: readFileSync(INTER) });
  },
};

/** Outlines of countries: pages draw their map of providers with them on the server. */
const maps: Plugin = {
  name: "maps",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "maps.json", source: JSON.stringify(drawMaps()) });
  },
};

// Every name carries a hash and is kept by browsers for good; manifest.json tells the pages which are meant.
export default defineConfig({
  base: "/static/dist/",
  plugins: [react(), inter, maps],
  publicDir: false,
  worker: { format: "es" },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    chunkSizeWarningLimit: 4000,
    // A data: URL for a wasm or a worker would need a wider policy than 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        door: "src/door.ts",
        early: "src/early.ts",
        plots: "src/plots/main.ts",
        room: "src/main.tsx",
        // Not imported by the room: the worklist's page loads that too, and must not look like it.
        style: "src/ui/room.css",
      },
      output: {
        entryFileNames: "assets/[name]-[hash].js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: "assets/[name]-[hash][extname]",
      },
    },
  },
});
