/** Which page is due: the session decides. */

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Language } from './catalogue';
import { preferredLanguage, rememberLanguage, tongueOf } from './language';
import { useObservable } from './observable';
import { OverviewPage } from './pages/overview_page';
import { SignInPage } from './pages/sign_in_page';
import type { Session } from './session';
import { TongueContext, useTongue } from './tongue';
import { Brand } from './ui/brand';
import { ProblemNote } from './ui/problem_note';
import { Tastes } from './ui/tastes';

export function App({ session }: { session: Session }) {
  const [language, setLanguage] = useState(preferredLanguage);
  const choose = (chosen: Language) => {
    rememberLanguage(chosen);
    setLanguage(chosen);
  };
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  return (
    <TongueContext.Provider value={tongueOf(language)}>
      <Page session={session} tastes={<Tastes language={language} choose={choose} />} />
    </TongueContext.Provider>
  );
}

function Page({ session, tastes }: { session: Session; tastes: JSX.Element }) {
  const { say } = useTongue();
  const state = useObservable(session.state);
  const page = state.phase === 'signed-in' ? 'overview.title' : 'sign_in.title';
  useEffect(() => {
    document.title = say('page.title', { page: say(page) });
  }, [say, page]);
  switch (state.phase) {
    case 'signed-in':
      return <OverviewPage key={state.user.id} session={session} user={state.user} tastes={tastes} />;
    case 'signed-out':
      return <SignInPage session={session} why={state.why} tastes={tastes} />;
    case 'starting':
      return (
        <main class="threshold">
          <p class="waiting" role="status">
            <Brand />
            <span class="quiet">{say('page.starting')}</span>
          </p>
        </main>
      );
    case 'unreachable':
      return (
        <main class="threshold">
          <div class="door">
            <Brand />
            <ProblemNote problem={state.problem} retry={() => void session.renew()} />
          </div>
        </main>
      );
  }
}
