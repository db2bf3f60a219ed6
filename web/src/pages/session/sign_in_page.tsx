import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../../api/problem';
import { session } from '../../session/current';
import { Brand } from '../../ui/brand';
import { Button } from '../../ui/button';
import { nameDocument } from '../../ui/document_title';
import { ProblemNote } from '../../ui/problem_note';
import { Tastes } from '../../ui/tastes';
import { useTongue } from '../../words/tongue';

export function SignInPage({ why }: { why: 'first' | 'ended' | 'left' }) {
  const { say } = useTongue();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [waitS, setWaitS] = useState(0);
  const email = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => email.current?.focus(), []);

  useEffect(() => {
    nameDocument(say('page.title', { page: say('sign_in.title') }));
  }, [say]);
  useEffect(() => {
    if (waitS <= 0) return;
    const second = setTimeout(() => setWaitS(waitS - 1), 1000);
    return () => clearTimeout(second);
  }, [waitS]);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy || waitS > 0) return;
    const said = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setProblem(null);
    try {
      await session.signIn(String(said.get('email')), String(said.get('password')));
    } catch (error) {
      const refusal = asProblem(error);
      setProblem(refusal);
      setWaitS(refusal.retryAfterS ?? 0);
      setBusy(false);
      password.current?.select();
    }
  };

  return (
    <main class="threshold">
      <div class="door">
        <Brand />
        <h1>{say('sign_in.title')}</h1>
        <p class="quiet">{say('sign_in.lead')}</p>
        {problem ? (
          <ProblemNote problem={problem} {...(problem.status === 401 ? { title: 'sign_in.refused' as const } : {})} />
        ) : (
          why !== 'first' && (
            <p class="note" role="status">
              {say(`sign_in.${why}`)}
            </p>
          )
        )}
        <form onSubmit={(event) => void submit(event)}>
          <label>
            {say('sign_in.email')}
            <input ref={email} name="email" type="email" autocomplete="username" required spellcheck={false} />
          </label>
          <label>
            {say('sign_in.password')}
            <input ref={password} name="password" type="password" autocomplete="current-password" required />
          </label>
          <Button type="submit" kind="primary" busy={busy || waitS > 0}>
            {waitS > 0
              ? say('sign_in.wait', { count: waitS })
              : say(busy ? 'sign_in.busy' : 'sign_in.submit')}
          </Button>
        </form>
        <Tastes />
      </div>
    </main>
  );
}
