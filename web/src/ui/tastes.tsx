import { useState } from 'preact/hooks';
import { useTongue } from '../tongue';
import { LANGUAGES, type Language } from '../catalogue';
import { applyTheme, nextTheme, preferredTheme, type Theme } from '../theme';

/** Language and theme. */
export function Tastes({ language, choose }: { language: Language; choose: (language: Language) => void }) {
  const { say } = useTongue();
  const [theme, setTheme] = useState(preferredTheme);
  const turn = () => {
    const next = nextTheme(theme);
    applyTheme(next);
    setTheme(next);
  };
  const label = say('theme.label', { theme: say(`theme.${theme}`) });
  return (
    <div class="tastes">
      <div class="segments" role="group" aria-label={say('language.label')}>
        {LANGUAGES.map((one) => (
          <button
            type="button"
            key={one}
            aria-pressed={one === language}
            aria-label={say(`language.${one}`)}
            onClick={() => choose(one)}
          >
            {one.toUpperCase()}
          </button>
        ))}
      </div>
      <button type="button" class="icon-button" aria-label={label} title={label} onClick={turn}>
        <ThemeIcon theme={theme} />
      </button>
    </div>
  );
}

function ThemeIcon({ theme }: { theme: Theme }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      {theme === 'light' && (
        <>
          <circle cx="10" cy="10" r="3.5" />
          <path d="M10 1.8v2.4M10 15.8v2.4M1.8 10h2.4M15.8 10h2.4M4.2 4.2l1.7 1.7M14.1 14.1l1.7 1.7M15.8 4.2l-1.7 1.7M5.9 14.1l-1.7 1.7" />
        </>
      )}
      {theme === 'dark' && <path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.500 8.500z" />}
      {theme === 'system' && (
        <>
          <circle cx="10" cy="10" r="7" />
          <path class="filled" d="M10 3a7 7 0 0 1 0 14z" />
        </>
      )}
    </svg>
  );
}
