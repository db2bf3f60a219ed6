import { useState } from 'preact/hooks';
import { flaw } from '../../api/problem';
import { session, useUser } from '../../session/current';
import { Details } from '../../ui/details';
import { TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { PageHeader } from '../../ui/page_header';
import { Tastes } from '../../ui/tastes';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/people';
import { useTongue } from '../../words/tongue';
import './people.css';

export default function ProfilePage() {
  const { say } = useTongue();
  const user = useUser();
  return (
    <div class="page narrow profile">
      <PageHeader title={say('nav.profile')} note={user.name} />
      <div class="columns">
        <Details
          title={say('profile.account')}
          rows={[
            [say('users.name'), user.name],
            [say('users.email'), user.email],
            [say('users.role'), say(`role.${user.role}`)],
          ]}
        />
        <section class="card">
          <h2>{say('profile.tastes')}</h2>
          <Tastes />
        </section>
      </div>
      <section class="card">
        <h2>{say('profile.password')}</h2>
        <Password />
      </section>
    </div>
  );
}

function Password() {
  const { say } = useTongue();
  const [turn, setTurn] = useState(0);
  return <PasswordForm key={turn} labels={{ current: say('profile.current'), fresh: say('profile.new'), repeated: say('profile.repeat') }} done={() => setTurn(turn + 1)} />;
}

function PasswordForm({ labels, done }: { labels: { current: string; fresh: string; repeated: string }; done: () => void }) {
  const { say } = useTongue();
  const form = useForm({
    name: 'password',
    isSecret: true,
    initial: { current: '', fresh: '', repeated: '' },
    save: async ({ current, fresh, repeated }) => {
      if (fresh !== repeated) throw flaw('repeated', say('profile.differs'));
      await session.changePassword(current, fresh);
      toast(say('profile.changed'));
      done();
    },
  });
  return (
    <Form form={form} labels={labels} act={say('profile.password')}>
      <TextField form={form} name="current" label={labels.current} type="password" autocomplete="current-password" required />
      <TextField form={form} name="fresh" label={labels.fresh} type="password" autocomplete="new-password" required />
      <TextField form={form} name="repeated" label={labels.repeated} type="password" autocomplete="new-password" required />
    </Form>
  );
}
