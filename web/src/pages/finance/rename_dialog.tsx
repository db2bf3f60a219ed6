import type { AccountView } from '../../api/types';
import { api } from '../../session/current';
import { Dialog } from '../../ui/dialog';
import { TextField } from '../../ui/field';
import { Form } from '../../ui/form';
import { toast } from '../../ui/toast';
import { useForm } from '../../ui/use_form';
import '../../words/books';
import { useTongue } from '../../words/tongue';

export function RenameDialog({ account, onClose }: { account: AccountView; onClose: () => void }) {
  const { say } = useTongue();
  const { id, version } = account;
  const labels = { name: say('account.name') };
  const form = useForm({
    name: `account.${id}`,
    initial: { name: account.name },
    version,
    save: async ({ name }, { version: read }) => {
      await api.patch('/api/accounts/{account_id}', { path: { account_id: id }, body: { version: read, name } });
      toast(say('account.renamed'));
      onClose();
    },
    fromCurrent: (current) => {
      const now = current as AccountView;
      return { values: { name: now.name }, version: now.version };
    },
  });
  return (
    <Dialog title={say('account.rename')} onClose={onClose}>
      <Form form={form} labels={labels} onCancel={onClose}>
        <TextField form={form} name="name" label={labels.name} required maxLength={120} wide autofocus />
      </Form>
    </Dialog>
  );
}
