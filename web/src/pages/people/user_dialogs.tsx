import type { Role, UserListView } from '../../api/types';
import { api } from '../../session/current';
import { Button } from '../../ui/button';
import { Dialog } from '../../ui/dialog';
import { SelectField, TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import { LANGUAGES } from '../../words/phrases';
import { useTongue } from '../../words/tongue';

const ROLES: readonly Role[] = ['clerk', 'manager', 'auditor', 'admin'];
/** Without what looks alike: 0 and O, 1, l and I. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const LENGTH = 16;

/** A password that nobody has chosen: 93 bits. */
export function freshPassword(): string {
  const password: string[] = [];
  while (password.length < LENGTH) {
    const [byte = 255] = crypto.getRandomValues(new Uint8Array(1));
    // The rest of the range would make some letters likelier than others.
    if (byte < LETTERS.length * Math.floor(256 / LETTERS.length)) password.push(LETTERS.charAt(byte % LETTERS.length));
  }
  return password.join('');
}

export interface Once {
  name: string;
  password: string;
}

/** A new user, or another name, role or language for `user`. */
export function UserDialog({ user, onClose, onMade }: { user: UserListView | null; onClose: () => void; onMade: (once: Once) => void }) {
  const { say } = useTongue();
  const valuesOf = ({ name, email, role, locale }: Pick<UserListView, 'name' | 'email' | 'role' | 'locale'>) => ({ name, email, role: role as string, locale });
  const form = useForm({
    name: `user.${user?.id ?? 'new'}`,
    initial: user ? valuesOf(user) : { name: '', email: '', role: 'clerk' as string, locale: 'de' },
    version: user?.version ?? 0,
    save: async ({ name, email, role, locale }, { version }) => {
      if (user) {
        await api.patch('/api/users/{user_id}', { path: { user_id: user.id }, body: { version, name, role: role as Role, locale } });
        toast(say('form.saved'));
      } else {
        const password = freshPassword();
        await api.post('/api/users', { body: { name, email, role: role as Role, locale, password } });
        onMade({ name, password });
      }
      onClose();
    },
    fromCurrent: (current) => {
      const record = current as UserListView;
      return { values: valuesOf(record), version: record.version };
    },
  });
  const labels = { name: say('users.name'), email: say('users.email'), role: say('users.role'), locale: say('users.locale') };
  return (
    <Dialog title={say(user ? 'users.change' : 'users.new')} onClose={onClose}>
      <Form form={form} labels={labels} onCancel={onClose}>
        <TextField form={form} name="name" label={labels.name} required maxLength={120} wide autofocus />
        {!user && <TextField form={form} name="email" label={labels.email} type="email" required maxLength={254} wide />}
        <SelectField form={form} name="role" label={labels.role} options={ROLES.map((value) => ({ value, title: say(`role.${value}`) }))} />
        <SelectField form={form} name="locale" label={labels.locale} options={LANGUAGES.map((value) => ({ value, title: say(`language.${value}`) }))} />
      </Form>
    </Dialog>
  );
}

/** A password, this once: it is nowhere to be read afterwards. */
export function OnceDialog({ once, onClose }: { once: Once; onClose: () => void }) {
  const { say } = useTongue();
  const [before = '', after = ''] = say('users.password.once', { name: once.name, password: '\u0000' }).split('\u0000');
  return (
    <Dialog title={say('users.password')} onClose={onClose} actions={<Button onClick={onClose}>{say('dialog.close')}</Button>}>
      <p>
        {before}
        <b class="once">{once.password}</b>
        {after}
      </p>
    </Dialog>
  );
}
