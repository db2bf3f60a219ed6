import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: { outDir: '../src/steinmetz/static', emptyOutDir: true, sourcemap: false },
});
