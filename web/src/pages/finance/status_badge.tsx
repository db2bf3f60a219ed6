import type { InvoiceStatus } from '../../api/types';
import { Badge, type Tone } from '../../ui/badge';
import '../../words/invoice_status';
import { useTongue } from '../../words/tongue';

const TONES: Record<InvoiceStatus, Tone> = { draft: 'plain', sent: 'active', overdue: 'late', paid: 'good', cancelled: 'plain' };

export function StatusBadge({ status }: { status: InvoiceStatus }) {
  const { say } = useTongue();
  return <Badge tone={TONES[status]}>{say(`invoice_status.${status}`)}</Badge>;
}
