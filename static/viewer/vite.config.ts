import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const INTER = "node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2";

/** The typeface of every page, under the name that tokens.css asks for. */
const inter: Plugin = {
  name: "inter",
  generateBundle() {
    this.emitFile({ type: "asset", fileName: "inter.woff2", source: readFileSync(INTER) });
  },
};

// The page names room.js and room.css; everything they pull in carries a hash.
export default defineConfig({
  base: "/static/dist/",
  plugins: [react(), inter],
  publicDir: false,
  worker: { format: "es" },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    cssCodeSplit: false,
    target: "es2022",
    chunkSizeWarningLimit: 4000,
    // A data: URL for a wasm or a worker would need a wider policy than 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { room: "src/main.tsx" },
      output: {
        entryFileNames: "room.js",
        chunkFileNames: "assets/[name]-[hash].js",
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".css")) ? "room.css" : "assets/[name]-[hash][extname]",
      },
    },
  },
});
