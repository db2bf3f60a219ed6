import { describe, expect, it } from 'vitest';
import { LANGUAGES, type Entry } from './phrases';

const areas = import.meta.glob<Record<string, unknown>>(['./*.ts', '!./*.test.ts', '!./language.ts', '!./tongue.ts'], { eager: true });
const sources = import.meta.glob<string>('../**/*.{ts,tsx}', { query: '?raw', import: 'default', eager: true });

/** Each phrase with the file that knows it. */
const known = new Map<string, { file: string; entry: Entry }>();
for (const [file, area] of Object.entries(areas)) {
  for (const words of Object.values(area)) {
    if (!words || typeof words !== 'object') continue;
    for (const [phrase, entry] of Object.entries(words as Record<string, Entry>)) {
      if (entry && typeof entry === 'object' && 'en' in entry) known.set(phrase, { file, entry });
    }
  }
}

function gaps(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? '').sort();
}

/** What a file imports, and what that imports. `from` is as Vite names files: `../pages/...` seen from here. */
function reach(from: string, seen = new Set<string>()): Set<string> {
  const source = sources[from];
  if (source === undefined || seen.has(from)) return seen;
  seen.add(from);
  const folder = new URL(from, 'file:///src/words/');
  for (const [, path] of source.matchAll(/^import (?!type\b)(?:[^'"]*? from )?'(\.[^']+)'/gm)) {
    const target = new URL(path ?? '', folder).pathname;
    for (const end of ['.ts', '.tsx', '/index.ts']) {
      const file = `${target}${end}`.replace(/^\/src\/words\//, './').replace(/^\/src\//, '../');
      if (file in sources) reach(file, seen);
    }
  }
  return seen;
}

describe('the words of the page', () => {
  it('are there in every language, with the same gaps', () => {
    for (const [phrase, { entry }] of known) {
      const forms = LANGUAGES.map((language) => entry[language]);
      const [first, ...others] = forms.map((form) =>
        typeof form === 'string' ? gaps(form).filter((gap) => gap !== 'count') : gaps(form.other).filter((gap) => gap !== 'count'),
      );
      for (const other of others) expect(other, phrase).toEqual(first);
      for (const form of forms) {
        for (const text of typeof form === 'string' ? [form] : [form.one, form.other]) expect(text.trim(), phrase).not.toBe('');
      }
    }
  });

  it('are loaded by every page that says them', () => {
    const always = reach('../main.tsx');
    const missing: string[] = [];
    for (const [file, source] of Object.entries(sources)) {
      if (!file.startsWith('../pages/') || !/_page\.tsx$/.test(file)) continue;
      const within = reach(file);
      for (const one of within) {
        if (!one.endsWith('.tsx')) continue;
        // A phrase, or what a phrase begins with: say(`invoice_status.${status}`).
        for (const [, whole, beginning] of (sources[one] ?? '').matchAll(/\bsay\(\s*(?:'([^']+)'|`([^`$]+)\$\{)/g)) {
          const said = [...known].filter(([one]) => (whole === undefined ? one.startsWith(beginning ?? ' ') : one === whole));
          const homes = [...new Set(said.map(([, { file: home }]) => home))];
          if (homes.length > 0 && !homes.some((home) => within.has(home) || always.has(home))) {
            missing.push(`${one} says '${whole ?? beginning}', but ${file} does not import ${homes.join(' or ')}`);
          }
        }
      }
      expect(source).toBeTruthy();
    }
    expect(missing).toEqual([]);
  });
});
