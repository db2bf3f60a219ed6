import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  build: {
    outDir: '../src/steinmetz/static',
    emptyOutDir: true,
    sourcemap: false,
    // The page's Content-Security-Policy allows no data: URL but images, and no inline code at all.
    assetsInlineLimit: 0,
    // The bundled libraries are MIT: their notices go with them.
    license: { fileName: 'third-party-licenses.md' },
  },
  server: {
    proxy: {
      '/api': 'http://127.0.0.1:3000',
      '/socket.io': { target: 'http://127.0.0.1:3000', ws: true },
    },
  },
});
