import { applyTheme, theme, THEMES } from '../session/theme';
import { LANGUAGES } from '../words/phrases';
import { chooseLanguage, language, useTongue } from '../words/tongue';

/** Language and theme. */
export function Tastes() {
  const { say } = useTongue();
  return (
    <div class="tastes">
      <div class="segments" role="group" aria-label={say('language.label')}>
        {LANGUAGES.map((one) => (
          <button type="button" key={one} lang={one} aria-pressed={one === language.value} aria-label={`${one.toUpperCase()}: ${say(`language.${one}`)}`} onClick={() => chooseLanguage(one)}>
            {one.toUpperCase()}
          </button>
        ))}
      </div>
      <div class="segments" role="group" aria-label={say('theme.label')}>
        {THEMES.map((one) => (
          <button type="button" key={one} aria-pressed={one === theme.value} onClick={() => applyTheme(one)}>
            {say(`theme.${one}`)}
          </button>
        ))}
      </div>
    </div>
  );
}
