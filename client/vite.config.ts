/** How the pages are built: several pages, hashed files, nothing inline (the server's CSP forbids it). */
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The addresses the server gives the pages (SURFACE: `/studio/{channel}`, `/c/{channel}`), in watch mode too. */
const addresses: Plugin = {
  name: 'skywave-addresses',
  configureServer({ middlewares }) {
    middlewares.use((request, _response, next) => {
      const { url = '/' } = request;
      if (/^\/studio(\/[^/.]*)?$/.test(url)) request.url = '/studio.html';
      else if (/^\/c\/[^/.]+$/.test(url)) request.url = '/listen.html';
      next();
    });
  },
};

export default defineConfig({
  root: here('.'),
  base: '/',
  publicDir: false,
  cacheDir: here('../node_modules/.cache/skywave/vite'),
  plugins: [addresses],
  worker: { format: 'es' },
  build: {
    outDir: here('../dist/client'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        index: here('index.html'),
        studio: here('studio.html'),
        listen: here('listen.html'),
      },
    },
  },
  server: {
    proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } },
  },
});
