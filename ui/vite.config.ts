import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const server = 'http://127.0.0.1:5000';
const served = [
  '/upload',
  '/images',
  '/events',
  '/dead-letters',
  '/models',
  '/session',
  '/summary',
  '/system',
  '/uploads',
  '/docs',
  '/openapi.json',
];

/** JavaScript that the first load may take, gzipped. What is imported later does not count. */
const mostBytes = 150_000;

const firstLoad = (): Plugin => ({
  name: 'first-load',
  generateBundle(_options, bundle) {
    const first = new Set<string>();
    const add = (name: string) => {
      const chunk = bundle[name];
      if (chunk?.type !== 'chunk' || first.has(name)) return;
      first.add(name);
      for (const imported of chunk.imports) add(imported);
    };
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === 'chunk' && chunk.isEntry) add(chunk.fileName);
    }
    let bytes = 0;
    for (const name of first) {
      const chunk = bundle[name];
      if (chunk?.type === 'chunk') bytes += gzipSync(chunk.code).length;
    }
    if (bytes > mostBytes) {
      this.error(
        `the first load takes ${bytes} bytes of gzipped JavaScript; at most ${mostBytes} are allowed`,
      );
    }
  },
});

export default defineConfig({
  // Relative, so that the page also works below a path of a reverse proxy.
  base: './',
  plugins: [react(), firstLoad()],
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    emptyOutDir: true,
    // The content security policy allows scripts and styles from files only.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: Object.fromEntries(served.map((path) => [path, server])) },
});
