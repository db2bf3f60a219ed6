import { asProblem } from '../../api/problem';
import { api } from '../../session/current';
import { saveFile } from '../../ui/csv';
import { Icon } from '../../ui/icon';
import { Menu } from '../../ui/menu';
import { titleOf } from '../../ui/problem_note';
import { toast } from '../../ui/toast';
import { LANGUAGES, type Language } from '../../words/phrases';
import '../../words/invoices';
import { useTongue } from '../../words/tongue';
import './acts.css';

interface Props {
  of: 'invoice' | 'credit_note';
  id: number;
}

function printed({ of, id }: Props, lang: Language): Promise<{ blob: Blob; name: string }> {
  const query = { lang };
  return of === 'invoice'
    ? api.file('/api/invoices/{invoice_id}/pdf', { path: { invoice_id: id }, query })
    : api.file('/api/credit-notes/{credit_note_id}/pdf', { path: { credit_note_id: id }, query });
}

/** The document as it is sent, in both languages, to look at or to keep. */
export function PdfMenu(props: Props) {
  const { say, language } = useTongue();
  const fetched = async (lang: Language, use: (file: { blob: Blob; name: string }) => void) => {
    try {
      use(await printed(props, lang));
    } catch (error) {
      toast(say(titleOf(asProblem(error))), { isProblem: true });
    }
  };
  const open = (lang: Language) =>
    fetched(lang, ({ blob }) => {
      const url = URL.createObjectURL(blob);
      if (!window.open(url, '_blank')) toast(say('pdf.blocked'), { isProblem: true });
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    });
  const save = (lang: Language) => fetched(lang, ({ blob, name }) => saveFile(name, blob));
  const languages = [...LANGUAGES].sort((one) => (one === language ? -1 : 1));
  return (
    <Menu
      label={say('pdf.menu')}
      class="act-menu"
      face={
        <span class="button">
          <Icon name="invoices" />
          {say('pdf.menu')}
          <Icon name="down" />
        </span>
      }
    >
      {(close) =>
        languages.flatMap((lang) =>
          (['open', 'save'] as const).map((how) => (
            <button
              type="button"
              class="menu-item"
              key={how + lang}
              onClick={() => {
                close();
                void (how === 'open' ? open : save)(lang);
              }}
            >
              <Icon name={how === 'open' ? 'invoices' : 'download'} />
              {say(`pdf.${how}`, { language: say(`language.${lang}`) })}
            </button>
          )),
        )
      }
    </Menu>
  );
}
