import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';

/** The licence of the font, which no module names, beside those of the modules. */
function fontLicence(): Plugin {
  return {
    name: 'font-licence',
    generateBundle() {
      const source = readFileSync(new URL('./node_modules/@fontsource-variable/inter/LICENSE', import.meta.url), 'utf8');
      this.emitFile({ type: 'asset', fileName: 'assets/inter-license.txt', source });
    },
  };
}

export default defineConfig({
  base: '/',
  plugins: [fontLicence()],
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
