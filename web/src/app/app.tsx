/** Which page is due: the session decides. */

import { useEffect } from 'preact/hooks';
import { SignInPage } from '../pages/session/sign_in_page';
import { session } from '../session/current';
import { Brand } from '../ui/brand';
import { ProblemNote } from '../ui/problem_note';
import { language, useTongue } from '../words/tongue';
import { Shell } from './shell';

export function App() {
  const { say } = useTongue();
  const state = session.state.value;
  useEffect(() => {
    document.documentElement.lang = language.value;
  }, [language.value]);
  switch (state.phase) {
    case 'signed-in':
      return <Shell key={state.user.id} />;
    case 'signed-out':
      return <SignInPage why={state.why} />;
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
