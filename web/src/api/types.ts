/** The HTTP API. Made from OpenAPI by `python3 dev.py types`: not to be changed by hand. */

export interface AccountBalance {
  number: string;
  name: string;
  balanceCents: number;
}

/** A new account of the chart. */
export interface AccountInput {
  /** 4 to 8 digits, as in SKR03 */
  number: string;
  name: string;
  kind: AccountKind;
}

export type AccountKind = 'asset' | 'liability' | 'equity' | 'income' | 'expense';

/** What is left out stays as it is; number and kind stay for ever, for reports of the past rest on them. */
export interface AccountPatch {
  /** The version the caller has read */
  version: number;
  name?: string;
  isActive?: boolean;
}

export interface AccountView {
  id: number;
  number: string;
  name: string;
  kind: AccountKind;
  isActive: boolean;
  balanceCents: number;
  version: number;
}

/** A line of the audit log, without its before and after. */
export interface ActivityEntry {
  id: number;
  at: string;
  actorName: string;
  action: string;
  entity: string;
  entityId: string;
  summary: string;
}

export interface AdviceDocument {
  madeAt: string | null;
  engine: string;
  verified: boolean;
  notVerifiedBecause: string | null;
  workload: AdvisedWorkload;
  candidates: number;
  candidatesLeftOut: number;
  savedShare: number;
  create: CreationDocument[];
  drop: RemovalDocument[];
  rejected: RejectionDocument[];
  rejectedCount: number;
  notUnderstood: NotUnderstoodDocument[];
}

/** How advice is to be given. */
export interface AdviceInput {
  verify?: boolean;
}

export interface AdviceStep {
  step: string;
  done: number;
  total: number;
}

export interface AdvisedWorkload {
  statements: number;
  calls: number;
  parameterSets: number;
}

export interface AlertDocument {
  id: string;
  kind: string;
  subject: string;
  severity: 'warning' | 'critical';
  state: 'active' | 'resolved';
  value: number;
  threshold: number;
  message: string;
  since: string;
  at: string;
  times: number;
}

/** Vacation of one calendar year, in workdays. */
export interface AllowanceView {
  employeeId: number;
  year: number;
  entitled: number;
  approved: number;
  requested: number;
  remaining: number;
}

export interface AnswerAccountView {
  success: true;
  data: AccountView;
}

export interface AnswerAllowanceView {
  success: true;
  data: AllowanceView;
}

export interface AnswerAuditView {
  success: true;
  data: AuditView;
}

export interface AnswerBalanceSheetView {
  success: true;
  data: BalanceSheetView;
}

export interface AnswerChannelRow {
  success: true;
  data: ChannelRow;
}

export interface AnswerCompanyView {
  success: true;
  data: CompanyView;
}

export interface AnswerCreditNoteView {
  success: true;
  data: CreditNoteView;
}

export interface AnswerCustomerView {
  success: true;
  data: CustomerView;
}

export interface AnswerDashboard {
  success: true;
  data: Dashboard;
}

export interface AnswerDeletedNotification {
  success: true;
  data: DeletedNotification;
}

export interface AnswerDepartmentView {
  success: true;
  data: DepartmentView;
}

export interface AnswerEntryView {
  success: true;
  data: EntryView;
}

export interface AnswerFinancialView {
  success: true;
  data: FinancialView;
}

export interface AnswerHistoryView {
  success: true;
  data: HistoryView;
}

export interface AnswerHrStatistics {
  success: true;
  data: HrStatistics;
}

export interface AnswerImportView {
  success: true;
  data: ImportView;
}

export interface AnswerInvoiceSumsView {
  success: true;
  data: InvoiceSumsView;
}

export interface AnswerInvoiceView {
  success: true;
  data: InvoiceView;
}

export interface AnswerJobView {
  success: true;
  data: JobView;
}

export interface AnswerLeaveView {
  success: true;
  data: LeaveView;
}

export interface AnswerLintView {
  success: true;
  data: LintView;
}

export interface AnswerMaintenanceView {
  success: true;
  data: MaintenanceView;
}

export interface AnswerMemberView {
  success: true;
  data: MemberView;
}

export interface AnswerMessageView {
  success: true;
  data: MessageView;
}

export interface AnswerNodeDetail {
  success: true;
  data: NodeDetail;
}

export interface AnswerNodeView {
  success: true;
  data: NodeView;
}

export interface AnswerNoneType {
  success: true;
  data: null;
}

export interface AnswerNotificationView {
  success: true;
  data: NotificationView;
}

export interface AnswerOverview {
  success: true;
  data: Overview;
}

export interface AnswerProcessView {
  success: true;
  data: ProcessView;
}

export interface AnswerProfitLossView {
  success: true;
  data: ProfitLossView;
}

export interface AnswerRankingsView {
  success: true;
  data: RankingsView;
}

export interface AnswerReadCount {
  success: true;
  data: ReadCount;
}

export interface AnswerReadView {
  success: true;
  data: ReadView;
}

export interface AnswerReloaded {
  success: true;
  data: Reloaded;
}

export interface AnswerRulesView {
  success: true;
  data: RulesView;
}

export interface AnswerSignInView {
  success: true;
  data: SignInView;
}

export interface AnswerTimeEntryRow {
  success: true;
  data: TimeEntryRow;
}

export interface AnswerUnionPaidEmployeeViewEmployeeView {
  success: true;
  data: PaidEmployeeView | EmployeeView;
}

export interface AnswerUserView {
  success: true;
  data: UserView;
}

export interface AnswerWeekView {
  success: true;
  data: WeekView;
}

export interface AnswerWidget {
  success: true;
  data: Widget;
}

export interface AnswerListChildView {
  success: true;
  data: ChildView[];
}

export interface AnswerListChoreView {
  success: true;
  data: ChoreView[];
}

export interface AnswerListMenuEntry {
  success: true;
  data: MenuEntry[];
}

export interface AnswerListRoleView {
  success: true;
  data: RoleView[];
}

export interface AnswerListTreeNode {
  success: true;
  data: TreeNode[];
}

export type AudienceKind = 'all' | 'role' | 'user';

export interface AuditView {
  id: number;
  at: string;
  actorId: number | null;
  actorName: string;
  action: string;
  entity: string;
  entityId: string;
  summary: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  requestId: string;
}

export interface BalanceLineView {
  accountId: number;
  number: string;
  name: string;
  openingCents: number;
  closingCents: number;
}

/** What the company has and owes at the end of `to`, and on the day before `from`. */
export interface BalanceSheetView {
  from: string;
  to: string;
  currency: string;
  assets: BalanceLineView[];
  liabilities: BalanceLineView[];
  equity: BalanceLineView[];
  opening: SidesView;
  closing: SidesView;
  resultOfPeriodCents: number;
}

/** Jobs by status. */
export interface BatchFigure {
  queued: number;
  running: number;
  done: number;
  failed: number;
  cancelled: number;
}

/** What a command needs: `drop` to invalidate, `limit` and `order` to list. */
export interface CacheCommandInput {
  drop?: InvalidateInput | null;
  limit?: number;
  order?: Order;
}

export interface CacheEntriesAnswer {
  success: true;
  entries: CacheEntryDocument[];
}

export interface CacheEntryDocument {
  key: string;
  path: string;
  route: string;
  variant: string;
  bytes: number;
  status: number;
  hits: number;
  costMs: number;
  savedMs: number;
  ageSeconds: number;
  ttlSeconds: number;
  etag: string;
  reads: string[];
}

export interface CacheStatsAnswer {
  success: true;
  stats: CacheStatsDocument;
}

export interface CacheStatsDocument {
  enabled: boolean;
  hits: number;
  stale: number;
  misses: number;
  hitRate: number;
  missReasons: Record<string, number>;
  bypasses: number;
  bypassReasons: Record<string, number>;
  stored: number;
  notStored: number;
  notStoredReasons: Record<string, number>;
  letGo: Record<string, number>;
  staleRefused: number;
  revoked: number;
  collapsed: number;
  adopted: number;
  refreshes: number;
  staleOnError: number;
  compared: number;
  leaks: number;
  notModified: number;
  needless: number;
  unused: number;
  bytesServed: number;
  savedMs: number;
  routes: CachedRouteDocument[];
  entries: number;
  bytes: number;
  budgetBytes: number;
  evictions: number;
  renewed: number;
  memoized: number;
  memoHits: number;
  memoComputed: number;
  admissions: number;
  authentications: number;
  commits: number;
  rollbacks: number;
  invalidated: number;
  lateCommits: number;
  cluster: Record<string, unknown> | null;
  warming: WarmingDocument | null;
}

export interface CachedRouteDocument {
  route: string;
  hits: number;
  stale: number;
  misses: number;
  bypasses: number;
  hitRate: number;
  missedBecause: Record<string, number>;
  collapsed: number;
  stored: number;
  dropped: number;
  needless: number;
  unused: number;
  bytesServed: number;
  savedMs: number;
  leaks: number;
  resting: string | null;
  pauses: number;
}

/** What the bank accounts and the cash box hold, by the books. */
export interface CashFigure {
  balanceCents: number;
}

export interface CashWidget {
  balanceCents: number;
  accounts: AccountBalance[];
}

export interface ChangeDocument {
  id: string;
  at: string;
  cause: string;
  note: string;
  author: string;
  ddl: string;
  tables: string[];
  verdict: 'regressed' | 'improved' | 'neutral' | 'undecided' | 'too_few';
  settled: boolean;
  savedMs: number;
  statements: StatementChangeDocument[];
}

export interface ChannelInput {
  name: string;
  topic?: string;
  isPrivate?: boolean;
}

/** `unread` is the sum over all channels of the list, on whatever page they are. */
export interface ChannelListing {
  success: true;
  data: ChannelRow[];
  page: PageMark;
  unread: number;
}

/** A message to the channel of the path. */
export interface ChannelMessageInput {
  /** Plain text */
  text: string;
  key?: string | null;
}

/** What is left out stays as it is. */
export interface ChannelPatch {
  /** The version the caller has read */
  version: number;
  name?: string;
  topic?: string;
}

/** A channel as the caller has it before him. */
export interface ChannelRow {
  id: string;
  name: string;
  topic: string;
  isPrivate: boolean;
  room: string;
  ownerId: number | null;
  createdAt: string;
  archivedAt: string | null;
  version: number;
  unread: number;
  lastMessage: MessageView | null;
}

/** Archiving: nothing to say but which state is meant. */
export interface ChannelStep {
  /** The version the caller has read */
  version: number;
}

export interface ChildView {
  id: string;
  parentId: string | null;
  area: string;
  title: string;
  description: string;
  icon: string;
  kind: Kind;
  minRole: Role;
  position: number;
  depth: number;
  source: string | null;
  updatedAt: string;
  version: number;
  childCount: number;
}

export interface ChoreView {
  name: string;
  when: string;
  dueAt: string;
  triedAt: string | null;
  doneAt: string | null;
  durationMs: number;
  changed: number;
  failures: number;
  error: string;
}

/** Stable names; docs/howto/import-a-catalogue.md explains each. */
export type Code = 'too-large' | 'not-utf8' | 'nul-byte' | 'long-line' | 'too-many-lines' | 'too-many-nodes' | 'too-deep' | 'not-a-catalogue' | 'name-twice' | 'unknown-format' | 'byte-order-mark' | 'line-ends' | 'malformed-branch' | 'depth-jump' | 'odd-blank' | 'control-character' | 'no-title' | 'long-title' | 'long-icon' | 'no-heading' | 'unread-line' | 'bad-json' | 'bad-node' | 'duplicate-id' | 'missing-parent' | 'cycle' | 'other-depth' | 'unknown-kind' | 'stray-escape' | 'bad-rules' | 'not-applied' | 'second-rules' | 'beyond-depth' | 'overflow' | 'other-order' | 'role-needed' | 'id-taken' | 'id-shortened' | 'id-replaced' | 'kept' | 'role-lost';

export type Command = 'stats' | 'entries' | 'invalidations' | 'invalidate' | 'warm';

/** What is left out stays as it is. Invoices that were sent keep what stood on them. */
export interface CompanyPatch {
  /** The version the caller has read */
  version: number;
  name?: string;
  street?: string;
  postalCode?: string;
  city?: string;
  /** ISO 3166-1 alpha-2 */
  country?: string;
  vatId?: string;
  taxNumber?: string;
  iban?: string;
  /** ISO 9362 */
  bic?: string;
  bank?: string;
  email?: string;
  phone?: string;
  tradeRegister?: string;
}

/** Who sends the invoices. */
export interface CompanyView {
  name: string;
  street: string;
  postalCode: string;
  city: string;
  country: string;
  vatId: string;
  taxNumber: string;
  iban: string;
  bic: string;
  bank: string;
  email: string;
  phone: string;
  tradeRegister: string;
  version: number;
}

export interface CountedView {
  count: number;
  sumCents: number;
}

export interface CreationDocument {
  name: string;
  table: string;
  columns: string[];
  include: string[];
  where: string | null;
  ddl: string;
  sizeBytes: number;
  savedTime: number;
  helps: EffectDocument[];
  slows: EffectDocument[];
  note: string;
}

/** A credit note on a sent invoice; without `items` it credits all that is left of it. */
export interface CreditInput {
  /** The version the caller has read */
  version: number;
  reason: string;
  items?: InvoiceItemInput[] | null;
}

/** A credit note on the page of its invoice. */
export interface CreditNoteOfInvoice {
  id: number;
  number: string;
  issueDate: string;
  reason: string;
  grossCents: number;
}

/** A credit note in a list. */
export interface CreditNoteRow {
  id: number;
  number: string;
  invoiceId: number;
  invoiceNumber: string;
  customerId: number;
  customerName: string;
  issueDate: string;
  reason: string;
  currency: string;
  netCents: number;
  vatCents: number;
  grossCents: number;
  createdAt: string;
}

/** The whole document; it never changes. */
export interface CreditNoteView {
  id: number;
  number: string;
  invoiceId: number;
  invoiceNumber: string;
  customerId: number;
  customerName: string;
  issueDate: string;
  reason: string;
  currency: string;
  netCents: number;
  vatCents: number;
  grossCents: number;
  createdAt: string;
  items: InvoiceItemView[];
}

/** A new customer; its number is given by the house. */
export interface CustomerInput {
  name: string;
  contact?: string;
  email?: string;
  phone?: string;
  street?: string;
  postalCode?: string;
  city?: string;
  /** ISO 3166-1 alpha-2 */
  country?: string;
  vatId?: string;
  paymentDays?: number;
}

/** What is left out stays as it is. */
export interface CustomerPatch {
  /** The version the caller has read */
  version: number;
  name?: string;
  contact?: string;
  email?: string;
  phone?: string;
  street?: string;
  postalCode?: string;
  city?: string;
  /** ISO 3166-1 alpha-2 */
  country?: string;
  vatId?: string;
  paymentDays?: number;
  isActive?: boolean;
}

export interface CustomerRevenue {
  customerId: number;
  name: string;
  netCents: number;
}

export interface CustomerView {
  id: number;
  number: string;
  name: string;
  contact: string;
  email: string;
  phone: string;
  street: string;
  postalCode: string;
  city: string;
  country: string;
  vatId: string;
  paymentDays: number;
  isActive: boolean;
  createdAt: string;
  version: number;
}

/** The widgets that the caller's role may see: `revenue` and `cash` from manager on. */
export interface Dashboard {
  businessDate: string;
  currency: string;
  widgets: Widget[];
}

export interface DatabaseView {
  engine: string;
  version: string;
  sizeBytes: number | null;
  schemaRevision: string;
  pools: PoolView[];
  wait: WaitView | null;
}

export interface DeletedNotification {
  deleted: number;
}

/** What the employees who are in a department today did and were due in the period. */
export interface DepartmentFigures {
  id: number;
  name: string;
  headCount: HeadCounts;
  minutes: number;
  overtimeMinutes: number;
  vacationDays: number;
  sickDays: number;
  specialDays: number;
  joined: number;
  left: number;
}

export interface DepartmentHeadcount {
  name: string;
  count: number;
}

export interface DepartmentInput {
  name: string;
  /** E.g. 4000 */
  costCenter: string;
}

/** What is left out stays as it is. */
export interface DepartmentPatch {
  /** The version the caller has read */
  version: number;
  name?: string;
  /** E.g. 4000 */
  costCenter?: string;
}

export interface DepartmentView {
  id: number;
  name: string;
  costCenter: string;
  employees: number;
  version: number;
}

/** What was asked for, and how many answers it dropped. */
export interface DroppedDocument {
  dropped: number;
}

export interface EffectDocument {
  name: string;
  fingerprint: string;
  statement: string;
  calls: number;
  totalTime: number;
  gain: GainDocument;
}

/** A new employee; the number is given by the house. */
export interface EmployeeInput {
  firstName: string;
  lastName: string;
  email: string;
  departmentId: number;
  jobTitle: string;
  weeklyMinutes?: number;
  salaryCents?: number;
  vacationDays?: number;
  hiredOn: string;
  userId?: number | null;
}

/** What is left out stays as it is. `leftOn` ends the employment, null takes that back. */
export interface EmployeePatch {
  /** The version the caller has read */
  version: number;
  firstName?: string;
  lastName?: string;
  email?: string;
  departmentId?: number;
  jobTitle?: string;
  weeklyMinutes?: number;
  salaryCents?: number;
  vacationDays?: number;
  hiredOn?: string;
  leftOn?: string | null;
  userId?: number | null;
}

/** An employee as everybody in the company may see them. */
export interface EmployeeView {
  id: number;
  number: string;
  firstName: string;
  lastName: string;
  email: string;
  departmentId: number;
  department: string;
  userId: number | null;
  jobTitle: string;
  weeklyMinutes: number;
  vacationDays: number;
  hiredOn: string;
  leftOn: string | null;
  version: number;
}

/** A manual journal entry: two lines or more that add up to zero. */
export interface EntryInput {
  date?: string | null;
  description: string;
  lines: LineInput[];
}

/** A journal entry in a list. */
export interface EntryRow {
  id: number;
  date: string;
  description: string;
  source: string;
  amountCents: number;
  reversesId: number | null;
  reversedById: number | null;
  createdAt: string;
}

export interface EntryView {
  id: number;
  date: string;
  description: string;
  source: string;
  amountCents: number;
  reversesId: number | null;
  reversedById: number | null;
  createdAt: string;
  lines: LineView[];
}

/** A period in figures; stocks such as cash are those at its end. */
export interface FiguresView {
  from: string;
  to: string;
  revenueCents: number;
  expensesCents: number;
  resultCents: number;
  receivablesCents: number;
  payablesCents: number;
  cashCents: number;
  vatOwedCents: number;
  invoicesSent: CountedView;
  invoicesPaid: CountedView;
  invoicesOverdue: CountedView;
  invoicesCancelled: CountedView;
  creditNotes: CountedView;
  payments: CountedView;
  refunds: CountedView;
}

/** What became of a file, or would become of it in a dry run. Of a refused one, nothing. */
export interface FileReport {
  name: string;
  format: Format;
  nodes: number;
  malformed: number;
  created: number;
  changed: number;
  moved: number;
  deleted: number;
  kept: number;
  ids?: Record<string, string[]>;
  refused?: ImportFindingView | null;
  findings?: ImportFindingView[];
  findingCounts?: Record<string, number>;
}

/** A period and the one before it: as many months before whole months, else as many days. */
export interface FinancialView {
  from: string;
  to: string;
  revenueCents: number;
  expensesCents: number;
  resultCents: number;
  receivablesCents: number;
  payablesCents: number;
  cashCents: number;
  vatOwedCents: number;
  invoicesSent: CountedView;
  invoicesPaid: CountedView;
  invoicesOverdue: CountedView;
  invoicesCancelled: CountedView;
  creditNotes: CountedView;
  payments: CountedView;
  refunds: CountedView;
  currency: string;
  before: FiguresView;
}

export interface FindingView {
  rule: string;
  nodeId: string;
  message: string;
}

export type Format = 'markdown' | 'jsonl' | 'rules' | 'unknown';

/** How many times less work; below 1 is more, null not known. */
export interface GainDocument {
  estimated: number | null;
  verified: number | null;
  verifiedWorst: number | null;
  observed: number | null;
}

export interface HeadCounts {
  today: number;
  atStart: number;
  atEnd: number;
}

/** Who is employed today. */
export interface HeadcountFigure {
  total: number;
  departments: DepartmentHeadcount[];
}

export interface HistoryView {
  times: number[];
  seconds: number[];
  series: SeriesView[];
}

/** A node that was found, and where it lies. */
export interface Hit {
  id: string;
  parentId: string | null;
  area: string;
  title: string;
  description: string;
  icon: string;
  kind: Kind;
  version: number;
  trail: Step[];
}

/** Minutes recorded in the week of the business date, Monday to Sunday. */
export interface HoursFigure {
  weekStart: string;
  minutes: number;
}

export interface HrStatistics {
  periodStart: string;
  periodEnd: string;
  headCount: HeadCounts;
  minutes: number;
  overtime: Overtime;
  departments: DepartmentFigures[];
  projects: ProjectFigures[];
  joiners: Move[];
  leavers: Move[];
}

/** An odd place of a file; docs/howto/import-a-catalogue.md explains each `code`. */
export interface ImportFindingView {
  code: Code;
  severity: Severity;
  line: number;
  reason: string;
  text: string;
  nodeId: string | null;
}

export interface ImportView {
  dryRun: boolean;
  files: FileReport[];
}

/** `unreadCount` counts all that is unread, on whatever page and whatever is filtered. */
export interface Inbox {
  success: true;
  data: NotificationRow[];
  page: PageMark;
  unreadCount: number;
}

export interface IndexAdviceDocument {
  success: true;
  advice: AdviceDocument | null;
  running: AdviceStep | null;
  error: string | null;
  statementsSeen: number;
}

/** What to drop: exactly one of these. */
export interface InvalidateInput {
  path?: string | null;
  tag?: string | null;
  pattern?: string | null;
  everything?: boolean;
}

export interface InvalidationDocument {
  at: string;
  cause: string;
  user: string | null;
  statements: string[];
  relations: string[];
  dropped: number;
  needless: number;
  routes: Record<string, number>;
}

export interface InvalidationsAnswer {
  success: true;
  invalidations: InvalidationDocument[];
}

/** A new draft. Number, issue date and due date are given when it is sent. */
export interface InvoiceInput {
  customerId: number;
  items: InvoiceItemInput[];
  note?: string;
}

/** A line of an invoice. */
export interface InvoiceItemInput {
  description: string;
  quantityMilli?: number;
  unit?: string;
  unitPriceCents: number;
  vatPercent?: 19 | 7 | 0;
}

export interface InvoiceItemView {
  position: number;
  description: string;
  quantityMilli: number;
  unit: string;
  unitPriceCents: number;
  vatPercent: number;
  netCents: number;
  vatCents: number;
}

/** A change of a draft; `items` replace all items. What is left out stays as it is. */
export interface InvoicePatch {
  /** The version the caller has read */
  version: number;
  customerId?: number;
  items?: InvoiceItemInput[];
  note?: string;
}

/** An invoice in a list. */
export interface InvoiceRow {
  id: number;
  number: string | null;
  customerId: number;
  customerName: string;
  status: InvoiceStatus;
  issueDate: string;
  dueDate: string;
  currency: string;
  netCents: number;
  vatCents: number;
  grossCents: number;
  paidCents: number;
  creditedCents: number;
  refundedCents: number;
  version: number;
  /** What the customer still owes on it. */
  openCents: number;
  /** What we owe the customer: more was paid than is owed after a credit note. */
  refundDueCents: number;
}

export type InvoiceStatus = 'draft' | 'sent' | 'overdue' | 'paid' | 'cancelled';

/** Sending or cancelling: nothing to say but which state is meant. */
export interface InvoiceStep {
  /** The version the caller has read */
  version: number;
}

/** What the invoices of a list add up to. Drafts and cancelled ones are in `count` alone. */
export interface InvoiceSumsView {
  count: number;
  netCents: number;
  grossCents: number;
  creditedCents: number;
  paidCents: number;
  openCount: number;
  openCents: number;
  overdueCount: number;
  overdueCents: number;
  draftCount: number;
  refundDueCents: number;
}

/** The whole document with its items and what was paid, credited and refunded on it. */
export interface InvoiceView {
  id: number;
  number: string | null;
  customerId: number;
  customerName: string;
  status: InvoiceStatus;
  issueDate: string;
  dueDate: string;
  currency: string;
  netCents: number;
  vatCents: number;
  grossCents: number;
  paidCents: number;
  creditedCents: number;
  refundedCents: number;
  version: number;
  note: string;
  sentAt: string | null;
  paidAt: string | null;
  cancelledAt: string | null;
  createdAt: string;
  items: InvoiceItemView[];
  payments: PaymentView[];
  creditNotes: CreditNoteOfInvoice[];
  refunds: RefundView[];
  /** What the customer still owes on it. */
  openCents: number;
  /** What we owe the customer: more was paid than is owed after a credit note. */
  refundDueCents: number;
}

export interface ItemView {
  position: number;
  status: JobStatus;
  payload: Record<string, unknown>;
  error: string;
  attempts: number;
}

/** A new job: which kind, and the parameters of that kind. */
export interface JobInput {
  kind: string;
  parameters?: Record<string, unknown>;
}

/** A job in a list: what everybody may know of it. */
export interface JobRow {
  id: number;
  kind: string;
  status: JobStatus;
  ownerId: number | null;
  ownerName: string;
  isCancelling: boolean;
  attempt: number;
  total: number;
  done: number;
  failed: number;
  cancelled: number;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  percent: number;
}

export type JobStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** The whole job; what was asked for and why it failed are for its owner, managers and auditors. */
export interface JobView {
  id: number;
  kind: string;
  status: JobStatus;
  ownerId: number | null;
  ownerName: string;
  isCancelling: boolean;
  attempt: number;
  total: number;
  done: number;
  failed: number;
  cancelled: number;
  createdAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  parameters: Record<string, unknown> | null;
  error: string | null;
  hasDownload: boolean;
  percent: number;
}

export type Kind = 'category' | 'group' | 'record' | 'workflow' | 'report' | 'dataset' | 'item';

export type Language = 'en' | 'de';

/** A new request; the caller's own where `employeeId` is left out. */
export interface LeaveInput {
  employeeId?: number | null;
  kind?: LeaveKind;
  firstDay: string;
  lastDay: string;
}

export type LeaveKind = 'vacation' | 'sick' | 'special';

/** What keeps the employee away on a day: leave that is approved, or only asked for. */
export interface LeaveOfDay {
  id: number;
  kind: LeaveKind;
  status: LeaveStatus;
}

/** A change of a request that nobody has decided. What is left out stays as it is. */
export interface LeavePatch {
  /** The version the caller has read */
  version: number;
  kind?: LeaveKind;
  firstDay?: string;
  lastDay?: string;
}

export interface LeaveRejection {
  /** The version the caller has read */
  version: number;
  reason?: string;
}

export type LeaveStatus = 'requested' | 'approved' | 'rejected' | 'cancelled';

/** Approving or cancelling: nothing to say but which state is meant. */
export interface LeaveStep {
  /** The version the caller has read */
  version: number;
}

export interface LeaveView {
  id: number;
  employeeId: number;
  employeeName: string;
  departmentId: number;
  kind: LeaveKind;
  status: LeaveStatus;
  firstDay: string;
  lastDay: string;
  workdays: number;
  decidedBy: number | null;
  reason: string;
  createdAt: string;
  version: number;
}

export type Level = 'info' | 'success' | 'warning' | 'error';

export interface LineInput {
  accountId: number;
  amountCents: number;
}

/** A posting line. */
export interface LineView {
  id: number;
  entryId: number;
  accountId: number;
  accountNumber: string;
  accountName: string;
  date: string;
  amountCents: number;
}

export interface LintView {
  findings: FindingView[];
  counts: Record<string, number>;
}

export interface ListingAccountView {
  success: true;
  data: AccountView[];
  page: PageMark;
}

export interface ListingAuditView {
  success: true;
  data: AuditView[];
  page: PageMark;
}

export interface ListingCreditNoteRow {
  success: true;
  data: CreditNoteRow[];
  page: PageMark;
}

export interface ListingCustomerView {
  success: true;
  data: CustomerView[];
  page: PageMark;
}

export interface ListingDepartmentView {
  success: true;
  data: DepartmentView[];
  page: PageMark;
}

export interface ListingEntryRow {
  success: true;
  data: EntryRow[];
  page: PageMark;
}

export interface ListingHit {
  success: true;
  data: Hit[];
  page: PageMark;
}

export interface ListingInvoiceRow {
  success: true;
  data: InvoiceRow[];
  page: PageMark;
}

export interface ListingItemView {
  success: true;
  data: ItemView[];
  page: PageMark;
}

export interface ListingJobRow {
  success: true;
  data: JobRow[];
  page: PageMark;
}

export interface ListingLeaveView {
  success: true;
  data: LeaveView[];
  page: PageMark;
}

export interface ListingMemberView {
  success: true;
  data: MemberView[];
  page: PageMark;
}

export interface ListingMessageView {
  success: true;
  data: MessageView[];
  page: PageMark;
}

export interface ListingPatternView {
  success: true;
  data: PatternView[];
  page: PageMark;
}

export interface ListingPaymentRow {
  success: true;
  data: PaymentRow[];
  page: PageMark;
}

export interface ListingPersonView {
  success: true;
  data: PersonView[];
  page: PageMark;
}

export interface ListingRouteView {
  success: true;
  data: RouteView[];
  page: PageMark;
}

export interface ListingSheetLineView {
  success: true;
  data: SheetLineView[];
  page: PageMark;
}

export interface ListingSignInEntryView {
  success: true;
  data: SignInEntryView[];
  page: PageMark;
}

export interface ListingStatementView {
  success: true;
  data: StatementView[];
  page: PageMark;
}

export interface ListingTimeEntryRow {
  success: true;
  data: TimeEntryRow[];
  page: PageMark;
}

export interface ListingUnionPaidEmployeeViewEmployeeView {
  success: true;
  data: (PaidEmployeeView | EmployeeView)[];
  page: PageMark;
}

export interface ListingUserListView {
  success: true;
  data: UserListView[];
  page: PageMark;
}

/** Who signs in. */
export interface LoginInput {
  email: string;
  password: string;
}

export interface MaintenanceInput {
  enabled: boolean;
  message?: string;
  until?: string | null;
}

export interface MaintenanceView {
  enabled: boolean;
  message: string;
  until: string | null;
  since: string | null;
  by: string | null;
}

/** What is changed now. */
export interface MarkInput {
  note: string;
  tables?: string[];
}

export interface MemberView {
  userId: number;
  name: string;
  addedAt: string;
}

export interface MemoryView {
  residentBytes: number | null;
  peakBytes: number | null;
}

export interface MenuEntry {
  id: string;
  title: string;
  icon: string;
  children: MenuEntry[];
}

/** A message, over HTTP or as the socket event `chat:message`. */
export interface MessageInput {
  /** Plain text */
  text: string;
  key?: string | null;
  /** E.g. `general` */
  channel: string;
}

export interface MessagePatch {
  /** The version the caller has read */
  version: number;
  /** Plain text */
  text: string;
}

export interface MessageView {
  id: number;
  channel: string;
  user: Speaker;
  text: string;
  at: string;
  editedAt: string | null;
  deleted: boolean;
  version: number;
}

export interface MonthRevenue {
  month: string;
  netCents: number;
}

/** Who came or went. */
export interface Move {
  employeeId: number;
  name: string;
  departmentId: number;
  day: string;
}

/** A new user. */
export interface NewUserInput {
  email: string;
  name: string;
  role: Role;
  locale?: string;
  password: string;
}

/** A node with the way to it and how many nodes lie directly below it, as far as the caller sees them. */
export interface NodeDetail {
  id: string;
  parentId: string | null;
  area: string;
  title: string;
  description: string;
  icon: string;
  kind: Kind;
  minRole: Role;
  position: number;
  depth: number;
  source: string | null;
  updatedAt: string;
  version: number;
  trail: Step[];
  childCount: number;
}

/** A new node. Its id is made from its parent's and its title, once and for good. */
export interface NodeInput {
  parentId?: string | null;
  title: string;
  description?: string;
  icon?: string;
  kind?: Kind;
  minRole?: Role;
  position?: number | null;
}

/** Another place in the tree. */
export interface NodeMove {
  /** The version the caller has read */
  version: number;
  parentId: string | null;
  position?: number | null;
}

/** What is left out stays as it is. */
export interface NodePatch {
  /** The version the caller has read */
  version: number;
  title?: string;
  description?: string;
  icon?: string;
  kind?: Kind;
  minRole?: Role;
}

/** A node by itself; also the `function` of `catalog:update`. */
export interface NodeView {
  id: string;
  parentId: string | null;
  area: string;
  title: string;
  description: string;
  icon: string;
  kind: Kind;
  minRole: Role;
  position: number;
  depth: number;
  source: string | null;
  updatedAt: string;
  version: number;
}

export interface NotUnderstoodDocument {
  name: string;
  reason: string;
}

export interface NotificationInput {
  audience: AudienceKind;
  role?: Role | null;
  userId?: number | null;
  level?: Level;
  title: string;
  message: string;
  /** A path of our own pages */
  link?: string | null;
  expiresAt?: string | null;
}

/** A notice as one of its readers has it before him. */
export interface NotificationRow {
  id: number;
  audience: AudienceKind;
  role: Role | null;
  userId: number | null;
  level: Level;
  title: string;
  message: string;
  link: string | null;
  at: string;
  expiresAt: string | null;
  unread: boolean;
}

export interface NotificationView {
  id: number;
  audience: AudienceKind;
  role: Role | null;
  userId: number | null;
  level: Level;
  title: string;
  message: string;
  link: string | null;
  at: string;
  expiresAt: string | null;
}

/** By what kept answers are listed. */
export type Order = 'hits' | 'saved' | 'bytes' | 'newest';

/** How a sign-in went, or ended. */
export type Outcome = 'signed_in' | 'refused' | 'signed_out' | 'reused';

/** Worked less due, up to a day that is over: the lesser of `to` and yesterday. */
export interface Overtime {
  until: string;
  workedMinutes: number;
  targetMinutes: number;
  overtimeMinutes: number;
}

/** The figures that the company shows to everybody who signs in; also the payload of `dashboard:update`. */
export interface Overview {
  businessDate: string;
  currency: string;
  revenue: RevenueFigure;
  openInvoices: OwedFigure;
  overdueInvoices: OwedFigure;
  cash: CashFigure;
  headcount: HeadcountFigure;
  hoursThisWeek: HoursFigure;
  batch: BatchFigure;
  activity: ActivityEntry[];
}

/** Invoices that customers have not settled, and what is left to pay on them. */
export interface OwedFigure {
  count: number;
  sumCents: number;
}

/** Where a page stands in its list. */
export interface PageMark {
  next: string | null;
  total: number;
}

/** With what only manager, admin and auditor see. */
export interface PaidEmployeeView {
  id: number;
  number: string;
  firstName: string;
  lastName: string;
  email: string;
  departmentId: number;
  department: string;
  userId: number | null;
  jobTitle: string;
  weeklyMinutes: number;
  vacationDays: number;
  hiredOn: string;
  leftOn: string | null;
  version: number;
  salaryCents: number;
}

/** A new password, by its owner. */
export interface PasswordInput {
  currentPassword: string;
  newPassword: string;
}

export type PatternKind = 'n-plus-one' | 'write-loop' | 'chatty-request' | 'unused-eager-load' | 'cartesian-join' | 'unbounded-select' | 'over-budget';

export interface PatternView {
  id: number;
  pattern: PatternKind;
  statement: string;
  fingerprint: string;
  subject: string;
  line: string | null;
  callers: string[];
  remedy: string;
  times: number;
  runs: number;
  worst: number;
  totalMs: number;
  savedMs: number;
  firstSeen: string;
  lastSeen: string;
  routes: string[];
  evidence: Record<string, number | string>;
}

/** A payment on an open invoice. `version` makes a repeated request a 409, not a second payment. */
export interface PaymentInput {
  /** The version the caller has read */
  version: number;
  amountCents: number;
  method?: PaymentMethod;
  paidOn?: string | null;
  reference?: string;
}

export type PaymentMethod = 'transfer' | 'debit' | 'card' | 'cash';

/** A payment, or a refund, in a list. */
export interface PaymentRow {
  id: number;
  invoiceId: number;
  amountCents: number;
  method: PaymentMethod;
  paidOn: string;
  reference: string;
  createdAt: string;
  invoiceNumber: string | null;
  customerId: number;
  customerName: string;
}

export interface PaymentView {
  id: number;
  invoiceId: number;
  amountCents: number;
  method: PaymentMethod;
  paidOn: string;
  reference: string;
  createdAt: string;
}

/** Somebody who can be let into a private channel. */
export interface PersonView {
  id: number;
  name: string;
}

export interface PlanDocument {
  hash: string;
  firstSeen: string;
  lastSeen: string;
  seen: number;
  text: string;
  indexes: string[];
  remarks: string[];
  tree: Record<string, unknown>;
}

export interface PlansDocument {
  fingerprint: string;
  name: string;
  statement: string;
  database: string;
  refused: string | null;
  plans: PlanDocument[];
}

export interface PoolView {
  database: string;
  inUse: number;
  size: number;
}

/** A refusal (RFC 9457). `detail` says what to do. */
export interface Problem {
  success: false;
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The path that was asked for */
  instance: string;
  requestId: string;
  /** With 403 */
  neededRole?: string;
  /** With 409: the record as it stands now */
  current?: unknown;
  /** With 422: the fields as the caller spells them */
  errors?: {
    field: string;
    message: string;
  }[];
}

export interface ProcessView {
  pid: number;
  host: string;
  startedAt: string;
  uptimeS: number;
  workers: number;
  threads: number;
  cpus: number;
  cpuS: number;
  memory: MemoryView;
  loopLag: WaitView | null;
  requests: RequestsView;
  database: DatabaseView;
  redis: RedisView | null;
  release: string;
  commit: string | null;
  python: string;
  platform: string;
  packages: Record<string, string>;
  settings: SettingView[];
}

/** Income and expenses of a period by account. */
export interface ProfitLossView {
  from: string;
  to: string;
  currency: string;
  income: ReportLineView[];
  expenses: ReportLineView[];
  incomeCents: number;
  expensesCents: number;
  resultCents: number;
}

export interface ProjectFigures {
  project: string | null;
  minutes: number;
}

export interface RankedView {
  fingerprint: string;
  statement: string;
  route: string;
  count: number;
  totalMs: number;
  perRequest: number;
}

export interface RankingsView {
  mostFrequent: RankedView[];
  mostTime: RankedView[];
  mostPerRequest: RankedView[];
}

export interface ReadCount {
  read: number;
  unreadCount: number;
}

export interface ReadInput {
  messageId: number;
}

export interface ReadView {
  channel: string;
  messageId: number;
  unread: number;
}

export interface ReadyDocument {
  success: true;
  status: 'ready';
  checks: Record<string, string>;
}

export interface RedisView {
  isReachable: boolean;
  node: string | null;
  othersTold: number;
  breakerOpened: number;
}

/** Money back to the customer, at most what is owed to him after credit notes. */
export interface RefundInput {
  /** The version the caller has read */
  version: number;
  amountCents: number;
  method?: PaymentMethod;
  paidOn?: string | null;
  reference?: string;
}

/** Money that went back to the customer. */
export interface RefundView {
  id: number;
  invoiceId: number;
  amountCents: number;
  method: PaymentMethod;
  paidOn: string;
  reference: string;
  createdAt: string;
}

export interface RejectionDocument {
  index: string;
  reason: string;
}

/** Read the catalogue again. */
export interface Reloaded {
  loadedAt: string;
}

export interface RemovalDocument {
  name: string;
  table: string;
  ddl: string;
  sizeBytes: number;
  reason: string;
}

/** An account in a report; income and debts are positive, as their side of the report wants them. */
export interface ReportLineView {
  accountId: number;
  number: string;
  name: string;
  amountCents: number;
}

export interface RequestsView {
  inFlight: number;
  total: number;
  byClass: Record<string, number>;
  limited: number;
}

/** Net revenue of the last twelve months, oldest first, of invoices that were sent and not cancelled. */
export interface RevenueFigure {
  months: MonthRevenue[];
}

export interface RevenueWidget {
  months: MonthRevenue[];
  topCustomers: CustomerRevenue[];
}

/** Why an entry is taken back, and on which day. */
export interface ReversalInput {
  date?: string | null;
  reason?: string;
}

export type Role = 'admin' | 'manager' | 'clerk' | 'auditor';

export interface RoleView {
  role: Role;
  readsAs: Role[];
  writesAs: Role[];
}

export interface RouteView {
  count: number;
  errors: number;
  slow: number;
  totalTime: number;
  avgTime: number;
  minTime: number;
  maxTime: number;
  p50: number;
  p95: number;
  p99: number;
  route: string;
  statements: number;
  statementsPerRun: number;
  mostStatements: number;
  databaseTime: number;
}

export interface RulesView {
  document: Record<string, unknown>;
  loadedAt: string | null;
}

/** One value for each of the answer's `times`. */
export interface SeriesView {
  key: string | null;
  count: number[];
  errors: number[];
  slow: number[];
  avgTime: (number | null)[];
  p50: (number | null)[];
  p95: (number | null)[];
  p99: (number | null)[];
}

/** A new password, by an administrator. */
export interface SetPasswordInput {
  newPassword: string;
}

export interface SettingView {
  variable: string;
  value: string | number | boolean | null;
  /** `environment` or `default` */
  source: string;
}

export type Severity = 'error' | 'warning' | 'info';

/** A posting line in a list of its own, with what its entry says. */
export interface SheetLineView {
  id: number;
  entryId: number;
  accountId: number;
  accountNumber: string;
  accountName: string;
  date: string;
  amountCents: number;
  description: string;
  source: string;
}

export interface SideDocument {
  count: number;
  avgTime: number;
  p50: number;
  p95: number;
  p99: number;
}

/** `assetsCents = liabilitiesCents + equityCents + resultCents`, always. */
export interface SidesView {
  assetsCents: number;
  liabilitiesCents: number;
  equityCents: number;
  resultCents: number;
}

export interface SignInEntryView {
  id: number;
  at: string;
  userId: number | null;
  userName: string;
  outcome: Outcome;
  detail: string;
  address: string;
  userAgent: string;
  requestId: string;
}

export interface SignInView {
  accessToken: string;
  expiresIn: number;
  user: UserView;
}

/** A statement has the first half, a tracked run the second, and `slowest` is the first half of one in it. */
export interface SlowDetailsDocument {
  id?: string | null;
  parameters: Record<string, unknown>;
  statement?: string | null;
  fingerprint?: string | null;
  database?: string | null;
  rows?: number | null;
  sets?: number | null;
  scope?: string | null;
  error?: string | null;
  requestId?: string | null;
  site?: string | null;
  time?: Record<string, number> | null;
  statementCount?: number | null;
  statements?: SlowPartDocument[] | null;
  slowest?: SlowDetailsDocument | null;
}

/** One statement of a tracked run. */
export interface SlowPartDocument {
  statement: string;
  executionTime: number;
}

export interface SlowQueriesDocument {
  success: true;
  slowQueries: SlowQueryDocument[];
}

export interface SlowQueryDocument {
  name: string;
  executionTime: number;
  threshold: number;
  timestamp: string;
  details: SlowDetailsDocument;
}

export interface SlowQueryInFullDocument {
  name: string;
  executionTime: number;
  threshold: number;
  timestamp: string;
  details: SlowDetailsDocument;
  plans: PlansDocument | null;
}

export interface Speaker {
  id: number | null;
  name: string;
}

export interface StatementChangeDocument {
  fingerprint: string;
  name: string;
  text: string;
  writes: boolean;
  before: SideDocument;
  after: SideDocument;
  verdict: 'regressed' | 'improved' | 'neutral' | 'undecided' | 'too_few';
  ratio: number;
  interval: number[];
  savedMs: number;
}

export interface StatementView {
  count: number;
  errors: number;
  slow: number;
  totalTime: number;
  avgTime: number;
  minTime: number;
  maxTime: number;
  p50: number;
  p95: number;
  p99: number;
  fingerprint: string;
  name: string;
  statement: string;
}

/** A node on the way to another. */
export interface Step {
  id: string;
  title: string;
}

/** A new time entry; the caller's own where `employeeId` is left out. */
export interface TimeEntryInput {
  employeeId?: number | null;
  date: string;
  startMinute: number;
  endMinute: number;
  project?: string;
  note?: string;
}

/** What is left out stays as it is. An entry stays with its employee. */
export interface TimeEntryPatch {
  /** The version the caller has read */
  version: number;
  date?: string;
  startMinute?: number;
  endMinute?: number;
  project?: string;
  note?: string;
}

/** A time entry in a list. */
export interface TimeEntryRow {
  id: number;
  employeeId: number;
  date: string;
  startMinute: number;
  endMinute: number;
  project: string;
  note: string;
  version: number;
  employeeName: string;
  departmentId: number;
}

export interface TimeEntryView {
  id: number;
  employeeId: number;
  date: string;
  startMinute: number;
  endMinute: number;
  project: string;
  note: string;
  version: number;
}

export interface ToldListAlertDocument {
  success: true;
  data: AlertDocument[];
  page: PageMark;
}

export interface ToldListChangeDocument {
  success: true;
  data: ChangeDocument[];
  page: PageMark;
}

export interface ToldChangeDocument {
  success: true;
  data: ChangeDocument;
}

export interface ToldDroppedDocument {
  success: true;
  data: DroppedDocument;
}

export interface ToldPlansDocument {
  success: true;
  data: PlansDocument;
}

export interface ToldSlowQueryInFullDocument {
  success: true;
  data: SlowQueryInFullDocument;
}

export interface ToldWarmedDocument {
  success: true;
  data: WarmedDocument;
}

/** A node in the tree; the deepest level asked for has no `children`. */
export interface TreeNode {
  id: string;
  parentId: string | null;
  title: string;
  icon: string;
  kind: Kind;
  depth: number;
  position: number;
  version: number;
  childCount: number;
  children?: TreeNode[] | null;
}

/** What is left out stays as it is. */
export interface UserChangeInput {
  /** The version the caller has read */
  version: number;
  name?: string | null;
  role?: Role | null;
  locale?: string | null;
}

export interface UserListView {
  id: number;
  email: string;
  name: string;
  role: Role;
  locale: string;
  isActive: boolean;
  createdAt: string;
  version: number;
  lastSignInAt: string | null;
}

export interface UserView {
  id: number;
  email: string;
  name: string;
  role: Role;
  locale: string;
  isActive: boolean;
  createdAt: string;
  version: number;
}

export interface VersionDocument {
  success: true;
  version: string;
  schema: string;
  python: string;
  startedAt: string;
  commit: string | null;
}

/** Nothing to say but which state is meant. */
export interface VersionInput {
  /** The version the caller has read */
  version: number;
}

/** Milliseconds, of the last five minutes. */
export interface WaitView {
  count: number;
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

export interface WarmedDocument {
  answers: number;
}

export interface WarmingDocument {
  running: boolean;
  total: number;
  kept: number;
  failed: number;
}

export interface WeekDayView {
  date: string;
  holiday: string | null;
  leave: LeaveOfDay | null;
  minutes: number;
  targetMinutes: number;
  entries: TimeEntryView[];
}

export interface WeekView {
  employeeId: number;
  employeeName: string;
  weekStart: string;
  days: WeekDayView[];
  minutes: number;
  targetMinutes: number;
}

/** A figure with what stands behind it, as far as the caller's role may see it. */
export interface Widget {
  id: WidgetId;
  businessDate: string;
  currency: string;
  data: RevenueWidget | CashWidget | OwedFigure | HeadcountFigure | HoursFigure | BatchFigure | ActivityEntry[];
}

/** A widget's id is its field in the overview, too. */
export type WidgetId = 'revenue' | 'openInvoices' | 'overdueInvoices' | 'cash' | 'headcount' | 'hoursThisWeek' | 'batch' | 'activity';

export interface AnswerDeleted1 {
  success: true;
  data: CatalogDeleted;
}

export interface AnswerDeleted2 {
  success: true;
  data: HrDeleted;
}

export interface CatalogDeleted {
  deleted: string;
  nodes: number;
}

export interface HrDeleted {
  deleted: number;
}

export interface Gets {
  /** The chart of accounts by number, with balances: debit positive. */
  '/api/accounts': {
    path: Record<never, never>;
    query: { kind?: AccountKind | null; q?: string; at?: string | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingAccountView;
  };
  /** One account and what it holds, at the end of a day if one is named. */
  '/api/accounts/{account_id}': {
    path: { account_id: number };
    query: { at?: string | null };
    body: undefined;
    answer: AnswerAccountView;
  };
  /** Who changed what, newest first. */
  '/api/audit': {
    path: Record<never, never>;
    query: { limit?: number; cursor?: string | null; entity?: string | null; entityId?: string | null; actorId?: number | null; action?: string | null; from?: string | null; to?: string | null; requestId?: string | null; q?: string | null };
    body: undefined;
    answer: ListingAuditView;
  };
  /** Who changed what, oldest first, as CSV for a spreadsheet; no cell is taken for a formula. */
  '/api/audit/export': {
    path: Record<never, never>;
    query: { entity?: string | null; entityId?: string | null; actorId?: number | null; action?: string | null; from?: string | null; to?: string | null; requestId?: string | null; q?: string | null };
    body: undefined;
    answer: Blob;
  };
  /** Who signed in or out, was refused, or used a refresh token twice; newest first. */
  '/api/audit/sign-ins': {
    path: Record<never, never>;
    query: { userId?: number | null; outcome?: Outcome | null; from?: string | null; to?: string | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingSignInEntryView;
  };
  /** One entry, with what stood before and after. */
  '/api/audit/{entry_id}': {
    path: { entry_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerAuditView;
  };
  /** The signed-in user. */
  '/api/auth/me': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerUserView;
  };
  /** Which jobs there are and how far they are, newest first. */
  '/api/batch/jobs': {
    path: Record<never, never>;
    query: { status?: JobStatus[] | null; kind?: string | null; mine?: boolean; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingJobRow;
  };
  /** How far a job is; `parameters` and `error` only for its owner, managers and auditors. */
  '/api/batch/jobs/{job_id}': {
    path: { job_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerJobView;
  };
  /** The file that came of a job. For its owner, managers and auditors; 409 while there is none. */
  '/api/batch/jobs/{job_id}/download': {
    path: { job_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: undefined;
  };
  /** What became of each item, and why it failed. For its owner, managers and auditors. */
  '/api/batch/jobs/{job_id}/items': {
    path: { job_id: number };
    query: { status?: JobStatus | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingItemView;
  };
  /** What is kept: keys, ages, sizes and what each answer was computed from; never the answers themselves. */
  '/api/cache/entries': {
    path: Record<never, never>;
    query: { limit?: number; order?: Order };
    body: undefined;
    answer: CacheEntriesAnswer;
  };
  /** The newest invalidations: when, by whom, by which statements; what was dropped, and how much needlessly. */
  '/api/cache/invalidations': {
    path: Record<never, never>;
    query: { limit?: number };
    body: undefined;
    answer: InvalidationsAnswer;
  };
  /** Hits, misses and why, bytes and time saved, needless drops: of this process, in all and by route. */
  '/api/cache/stats': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: CacheStatsAnswer;
  };
  /** My channels by name, each with its last message and how much in it I have not read. */
  '/api/chat/channels': {
    path: Record<never, never>;
    query: { archived?: boolean; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ChannelListing;
  };
  /** What is this channel about, and what is new in it? */
  '/api/chat/channels/{channel_id}': {
    path: { channel_id: string };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerChannelRow;
  };
  /** Who is in this private channel? */
  '/api/chat/channels/{channel_id}/members': {
    path: { channel_id: string };
    query: { limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingMemberView;
  };
  /** What was said here, newest first; or what did I miss since the message `after`? */
  '/api/chat/channels/{channel_id}/messages': {
    path: { channel_id: string };
    query: { after?: number | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingMessageView;
  };
  /** What was said lately in all my channels, or where was something mentioned? */
  '/api/chat/messages': {
    path: Record<never, never>;
    query: { q?: string; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingMessageView;
  };
  /** Whom can I let into a private channel? By name, and nothing but the name. */
  '/api/chat/people': {
    path: Record<never, never>;
    query: { q?: string; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingPersonView;
  };
  /** Who sends the invoices: what stands on top of them and below. */
  '/api/company': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerCompanyView;
  };
  /** Credit notes, newest first. */
  '/api/credit-notes': {
    path: Record<never, never>;
    query: { invoiceId?: number | null; customerId?: number | null; from?: string | null; to?: string | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingCreditNoteRow;
  };
  /** One credit note with its items. */
  '/api/credit-notes/{credit_note_id}': {
    path: { credit_note_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerCreditNoteView;
  };
  /** The credit note as it is sent; it names the invoice that it corrects. */
  '/api/credit-notes/{credit_note_id}/pdf': {
    path: { credit_note_id: number };
    query: { lang?: Language };
    body: undefined;
    answer: Blob;
  };
  /** Customers whose name, number or city contains `q`. */
  '/api/customers': {
    path: Record<never, never>;
    query: { q?: string; sort?: 'name' | '-name' | 'number' | '-number' | 'city' | '-city'; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingCustomerView;
  };
  /** One customer. */
  '/api/customers/{customer_id}': {
    path: { customer_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerCustomerView;
  };
  /** The widgets that the caller's role may see, each with what stands behind it. */
  '/api/dashboard': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerDashboard;
  };
  /** The figures that everybody sees; `dashboard:update` brings the same document when one of them changes. */
  '/api/dashboard/overview': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerOverview;
  };
  /** One widget. `revenue` and `cash` need the role manager. */
  '/api/dashboard/widgets/{widget_id}': {
    path: { widget_id: string };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerWidget;
  };
  /** All departments, with how many people each employs today. */
  '/api/departments': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: ListingDepartmentView;
  };
  /** One department, with how many people it employs today. */
  '/api/departments/{department_id}': {
    path: { department_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerDepartmentView;
  };
  /** Alerts of the query monitor, newest first; all of them with how each was resolved, if asked for. */
  '/api/diagnostics/alerts': {
    path: Record<never, never>;
    query: { state?: 'active' | 'all'; limit?: number };
    body: undefined;
    answer: ToldListAlertDocument;
  };
  /** Changes of the schema, releases and marks, newest first, each with its verdict and the statements before and after it. */
  '/api/diagnostics/comparisons': {
    path: Record<never, never>;
    query: { limit?: number };
    body: undefined;
    answer: ToldListChangeDocument;
  };
  /** Counts and percentiles (ms) by the minute, of all processes together; of the last hour without a `window`. */
  '/api/diagnostics/history': {
    path: Record<never, never>;
    query: { kind?: 'route' | 'name' | 'statement' | 'timing'; key?: string[] | null; window?: string | null };
    body: undefined;
    answer: AnswerHistoryView;
  };
  /** The last advice: indexes to make and to drop, what they gain, and why others were not taken. */
  '/api/diagnostics/index-advice': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: IndexAdviceDocument;
  };
  /** The last advice as a revision for Alembic, to be put into the folder of your migrations. */
  '/api/diagnostics/index-advice/revision': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Blob;
  };
  /** Lines that ask once a row what one statement could ask, with what mends them; the costliest first. */
  '/api/diagnostics/n-plus-one': {
    path: Record<never, never>;
    query: { limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingPatternView;
  };
  /** All habits of asking that cost more than they must, with line and remedy; the costliest first. */
  '/api/diagnostics/patterns': {
    path: Record<never, never>;
    query: { kind?: PatternKind[] | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingPatternView;
  };
  /** The plan of a statement, asked for now, and those that it had before; newest first. */
  '/api/diagnostics/plans/{fingerprint}': {
    path: { fingerprint: string };
    query: Record<never, never>;
    body: undefined;
    answer: ToldPlansDocument;
  };
  /** Count and times (ms) of every named query. */
  '/api/diagnostics/query-stats': {
    path: Record<never, never>;
    query: { window?: string | null };
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** The statements that ran most often, took the most time, and ran most often for each request of one route. */
  '/api/diagnostics/rankings': {
    path: Record<never, never>;
    query: { limit?: number };
    body: undefined;
    answer: AnswerRankingsView;
  };
  /** Count and times (ms) of every route, job, event and command, and what its runs asked of the database. */
  '/api/diagnostics/routes': {
    path: Record<never, never>;
    query: { sort?: 'total' | 'count' | 'p95' | 'most'; window?: string | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingRouteView;
  };
  /** The newest queries that took longer than the threshold. */
  '/api/diagnostics/slow-queries': {
    path: Record<never, never>;
    query: { limit?: number };
    body: undefined;
    answer: SlowQueriesDocument;
  };
  /** One slow query with all that is known of it: where its time went, and the plans of its statement. */
  '/api/diagnostics/slow-queries/{slow_id}': {
    path: { slow_id: string };
    query: Record<never, never>;
    body: undefined;
    answer: ToldSlowQueryInFullDocument;
  };
  /** Count and times (ms) of every statement, those inside of tracks included. */
  '/api/diagnostics/statements': {
    path: Record<never, never>;
    query: { sort?: 'total' | 'count' | 'p95'; window?: string | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingStatementView;
  };
  /** Who works here, or did. Salaries are in the answers for manager, admin and auditor only. */
  '/api/employees': {
    path: Record<never, never>;
    query: { q?: string; departmentId?: number | null; active?: boolean | null; at?: string | null; sort?: 'name' | '-name' | 'number' | '-number' | 'hiredOn' | '-hiredOn'; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingUnionPaidEmployeeViewEmployeeView;
  };
  /** One employee; the salary for manager, admin and auditor only. */
  '/api/employees/{employee_id}': {
    path: { employee_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerUnionPaidEmployeeViewEmployeeView;
  };
  /** The areas with the number of their children, or more levels of the tree. */
  '/api/functions': {
    path: Record<never, never>;
    query: { depth?: number };
    body: undefined;
    answer: AnswerListTreeNode;
  };
  /** What is wrong with the catalogue by its own rules. */
  '/api/functions/lint': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerLintView;
  };
  /** Areas and their groups, as far as the caller's role sees them. */
  '/api/functions/menu': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerListMenuEntry;
  };
  /** One node with the way to it and the number of its children. */
  '/api/functions/nodes/{node_id}': {
    path: { node_id: string };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerNodeDetail;
  };
  /** The nodes directly below one, as far as the caller's role sees them. */
  '/api/functions/nodes/{node_id}/children': {
    path: { node_id: string };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerListChildView;
  };
  /** The rules document that the catalogue is linted by. */
  '/api/functions/rules': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerRulesView;
  };
  /** Find functions by the words of title and description, the best first. */
  '/api/functions/search': {
    path: Record<never, never>;
    query: { q: string; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingHit;
  };
  /** Heads, hours, overtime, absence, joiners and leavers of a period; this month until today without one. */
  '/api/hr/statistics': {
    path: Record<never, never>;
    query: { from?: string | null; to?: string | null };
    body: undefined;
    answer: AnswerHrStatistics;
  };
  /** Invoices, newest first unless `sort` says otherwise. */
  '/api/invoices': {
    path: Record<never, never>;
    query: { status?: InvoiceStatus[] | null; customerId?: number | null; from?: string | null; to?: string | null; q?: string; sort?: 'id' | '-id' | 'issueDate' | '-issueDate' | 'dueDate' | '-dueDate' | 'grossCents' | '-grossCents'; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingInvoiceRow;
  };
  /** What the invoices that the same filters list add up to: billed, paid, open and overdue. */
  '/api/invoices/sums': {
    path: Record<never, never>;
    query: { status?: InvoiceStatus[] | null; customerId?: number | null; from?: string | null; to?: string | null; q?: string };
    body: undefined;
    answer: AnswerInvoiceSumsView;
  };
  /** The whole document: items, payments, credit notes, refunds, and what is open. */
  '/api/invoices/{invoice_id}': {
    path: { invoice_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerInvoiceView;
  };
  /** The invoice as it is sent; a draft says that it is one. */
  '/api/invoices/{invoice_id}/pdf': {
    path: { invoice_id: number };
    query: { lang?: Language };
    body: undefined;
    answer: Blob;
  };
  /** What was posted, with its sum: the newest day first. */
  '/api/journal-entries': {
    path: Record<never, never>;
    query: { from?: string | null; to?: string | null; source?: string; account?: string; sort?: 'id' | '-id' | 'date' | '-date'; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingEntryRow;
  };
  /** One entry with its posting lines. */
  '/api/journal-entries/{entry_id}': {
    path: { entry_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerEntryView;
  };
  /** Who is away, was, or wants to be; with a day in the period. A clerk sees the own requests only. */
  '/api/leave-requests': {
    path: Record<never, never>;
    query: { employeeId?: number | null; departmentId?: number | null; status?: LeaveStatus[] | null; from?: string | null; to?: string | null; sort?: 'firstDay' | '-firstDay'; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingLeaveView;
  };
  /** How many vacation days a year brings an employee (the caller without `employeeId`), and how many remain. */
  '/api/leave-requests/allowance': {
    path: Record<never, never>;
    query: { employeeId?: number | null; year?: number | null };
    body: undefined;
    answer: AnswerAllowanceView;
  };
  /** What am I told, and how much of it is new? Newest first, in my language. */
  '/api/notifications': {
    path: Record<never, never>;
    query: { unread?: boolean; limit?: number; cursor?: string | null };
    body: undefined;
    answer: Inbox;
  };
  /** Money received on invoices, newest first. */
  '/api/payments': {
    path: Record<never, never>;
    query: { invoiceId?: number | null; from?: string | null; to?: string | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingPaymentRow;
  };
  /** Money that went back to customers, newest first. */
  '/api/refunds': {
    path: Record<never, never>;
    query: { invoiceId?: number | null; from?: string | null; to?: string | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingPaymentRow;
  };
  /** What the company has and owes at the end of a period, and what it had and owed before it. */
  '/api/reports/balance-sheet': {
    path: Record<never, never>;
    query: { from?: string | null; to?: string | null };
    body: undefined;
    answer: AnswerBalanceSheetView;
  };
  /** A period in figures, from revenue to overdue invoices, beside the period before it. */
  '/api/reports/financial': {
    path: Record<never, never>;
    query: { from?: string | null; to?: string | null };
    body: undefined;
    answer: AnswerFinancialView;
  };
  /** What was earned and spent in a period, by account, and what is left of it. */
  '/api/reports/profit-loss': {
    path: Record<never, never>;
    query: { from?: string | null; to?: string | null };
    body: undefined;
    answer: AnswerProfitLossView;
  };
  /** The roles, and whose readings and changes each includes. */
  '/api/roles': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerListRoleView;
  };
  /** What happens because time passes: when each chore was done, how it ended, and when it is due again. */
  '/api/system/chores': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerListChoreView;
  };
  /** Whether changes are refused at the moment, why, and until when. */
  '/api/system/maintenance': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerMaintenanceView;
  };
  /** The process that answers: memory, threads, loop lag, database, Redis, versions, and its settings without any secret. */
  '/api/system/process': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerProcessView;
  };
  /** Who worked when on what. A clerk sees the own entries only. */
  '/api/time-entries': {
    path: Record<never, never>;
    query: { employeeId?: number | null; departmentId?: number | null; from?: string | null; to?: string | null; project?: string | null; sort?: 'date' | '-date'; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingTimeEntryRow;
  };
  /** Monday to Sunday of an employee (the caller without `employeeId`): entries, minutes, target and leave. */
  '/api/time-entries/week': {
    path: Record<never, never>;
    query: { employeeId?: number | null; week?: string | null };
    body: undefined;
    answer: AnswerWeekView;
  };
  /** Posting lines, the newest day first: the sheet of an account, or of all. */
  '/api/transactions': {
    path: Record<never, never>;
    query: { accountId?: number | null; from?: string | null; to?: string | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingSheetLineView;
  };
  /** Users by name. */
  '/api/users': {
    path: Record<never, never>;
    query: { search?: string | null; role?: Role | null; active?: boolean | null; limit?: number; cursor?: string | null };
    body: undefined;
    answer: ListingUserListView;
  };
  /** One user. */
  '/api/users/{user_id}': {
    path: { user_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerUserView;
  };
  /** What the sockets of this process do; under `cluster` those of all servers together, and of each. */
  '/api/ws/stats': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** Whether the process lives. */
  '/healthz': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** Prometheus' text format; for the same machine, or with the metrics token. */
  '/metrics': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Blob;
  };
  /** Whether the process can work: the database answers, its schema is this release's, and its workers live. */
  '/readyz': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: ReadyDocument;
  };
  /** Release, schema revision and interpreter; the commit that it was built from, if that is known. */
  '/version': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: VersionDocument;
  };
}

export interface Posts {
  /** Open an account that the chart does not have yet. */
  '/api/accounts': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: AccountInput;
    answer: AnswerAccountView;
  };
  /** Sign in: an access token in the answer, a refresh token in a cookie. */
  '/api/auth/login': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: LoginInput;
    answer: AnswerSignInView;
  };
  /** End the sign-in of the cookie, or else that of the access token; its tokens and sockets end with it. */
  '/api/auth/logout': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerNoneType;
  };
  /** A new password for the signed-in user; all other sign-ins of his end. */
  '/api/auth/password': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: PasswordInput;
    answer: AnswerSignInView;
  };
  /** New tokens for the refresh cookie; each is good once. */
  '/api/auth/refresh': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerSignInView;
  };
  /** Begin a job. It is queued now and done by and by: listen to `batch:progress`, or look at it again. */
  '/api/batch/jobs': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: JobInput;
    answer: AnswerJobView;
  };
  /** Stop a job: items in work come to their end, the rest is cancelled. For its owner and managers. */
  '/api/batch/jobs/{job_id}/cancel': {
    path: { job_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerJobView;
  };
  /** Do what failed or was cancelled once more; what is done stays done. For its owner and managers. */
  '/api/batch/jobs/{job_id}/retry': {
    path: { job_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerJobView;
  };
  /** For `steinmetz cache`: the same for the same machine, or with the metrics token, as /metrics. */
  '/api/cache/commands/{command}': {
    path: { command: Command };
    query: Record<never, never>;
    body: CacheCommandInput;
    answer: Record<string, unknown>;
  };
  /** Drop answers: of a path with everything below it, of a tag, of a pattern of paths, or all. */
  '/api/cache/invalidate': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: InvalidateInput;
    answer: ToldDroppedDocument;
  };
  /** Compute again, in the background, what is worth most; `GET /api/cache/stats` says how far it is. */
  '/api/cache/warm': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: ToldWarmedDocument;
  };
  /** Open a channel for everybody, or a private one for those whom I let in. */
  '/api/chat/channels': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: ChannelInput;
    answer: AnswerChannelRow;
  };
  /** Close a channel: it can still be read and searched, and nothing more is said in it. */
  '/api/chat/channels/{channel_id}/archive': {
    path: { channel_id: string };
    query: Record<never, never>;
    body: ChannelStep;
    answer: AnswerChannelRow;
  };
  /** Say something here. Sent again with the same `key`, it is said once. */
  '/api/chat/channels/{channel_id}/messages': {
    path: { channel_id: string };
    query: Record<never, never>;
    body: ChannelMessageInput;
    answer: AnswerMessageView;
  };
  /** I have read everything up to this message. */
  '/api/chat/channels/{channel_id}/read': {
    path: { channel_id: string };
    query: Record<never, never>;
    body: ReadInput;
    answer: AnswerReadView;
  };
  /** Say something in a channel. Sent again with the same `key`, it is said once. */
  '/api/chat/messages': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: MessageInput;
    answer: AnswerMessageView;
  };
  /** A new customer; the house gives the number. */
  '/api/customers': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: CustomerInput;
    answer: AnswerCustomerView;
  };
  /** Found a department. Needs the role manager. */
  '/api/departments': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: DepartmentInput;
    answer: AnswerDepartmentView;
  };
  /** Say that something is changed now: the hour before is compared with the hour after. */
  '/api/diagnostics/comparisons': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: MarkInput;
    answer: ToldChangeDocument;
  };
  /** Begin to look for the best indexes, in the background; the answer is then at the same path (GET). */
  '/api/diagnostics/index-advice': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: AdviceInput;
    answer: IndexAdviceDocument;
  };
  /** Write the statements seen so far into the data folder, for `steinmetz advise`. */
  '/api/diagnostics/workload': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: Record<string, unknown>;
  };
  /** Hire somebody, under the next number. Needs the role manager. */
  '/api/employees': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: EmployeeInput;
    answer: AnswerUnionPaidEmployeeViewEmployeeView;
  };
  /** Take files of a catalogue: each goes in as a whole or is refused, and of each there is a report. */
  '/api/functions/import': {
    path: Record<never, never>;
    query: { dryRun?: boolean };
    body: {
      files: {
        name: string;
        text: string;
      }[];
    };
    answer: AnswerImportView;
  };
  /** A new function, group or area. Its id is made from its parent's and its title. */
  '/api/functions/nodes': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: NodeInput;
    answer: AnswerNodeView;
  };
  /** Give a node another parent or place; its id stays. */
  '/api/functions/nodes/{node_id}/move': {
    path: { node_id: string };
    query: Record<never, never>;
    body: NodeMove;
    answer: AnswerNodeView;
  };
  /** Put the rules in force anew and tell every screen to read the catalogue again. */
  '/api/functions/reload': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerReloaded;
  };
  /** A draft: it has no number yet and may still be changed. */
  '/api/invoices': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: InvoiceInput;
    answer: AnswerInvoiceView;
  };
  /** Cancel an invoice on which nothing was paid or credited. Needs the role manager. */
  '/api/invoices/{invoice_id}/cancel': {
    path: { invoice_id: number };
    query: Record<never, never>;
    body: InvoiceStep;
    answer: AnswerInvoiceView;
  };
  /** Correct a sent invoice by a credit note, all that is left of it if no items are named. */
  '/api/invoices/{invoice_id}/credit': {
    path: { invoice_id: number };
    query: Record<never, never>;
    body: CreditInput;
    answer: AnswerCreditNoteView;
  };
  /** Book a payment, in full or in part. Sent twice, the second is a 409: the version has moved on. */
  '/api/invoices/{invoice_id}/pay': {
    path: { invoice_id: number };
    query: Record<never, never>;
    body: PaymentInput;
    answer: AnswerInvoiceView;
  };
  /** Book money back to a customer who has paid more than is owed after a credit note. */
  '/api/invoices/{invoice_id}/refund': {
    path: { invoice_id: number };
    query: Record<never, never>;
    body: RefundInput;
    answer: AnswerInvoiceView;
  };
  /** Send a draft: it gets the next number of its year, without gaps, and its journal entry. */
  '/api/invoices/{invoice_id}/send': {
    path: { invoice_id: number };
    query: Record<never, never>;
    body: InvoiceStep;
    answer: AnswerInvoiceView;
  };
  /** Post a manual entry: lines that add up to zero. The account of receivables is kept by invoices alone. */
  '/api/journal-entries': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: EntryInput;
    answer: AnswerEntryView;
  };
  /** Take an entry back by its exact opposite, once. What a document has posted is corrected through it. */
  '/api/journal-entries/{entry_id}/reverse': {
    path: { entry_id: number };
    query: Record<never, never>;
    body: ReversalInput;
    answer: AnswerEntryView;
  };
  /** Ask for leave: one's own, or with the role manager anybody's. More vacation than remains is a 409. */
  '/api/leave-requests': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: LeaveInput;
    answer: AnswerLeaveView;
  };
  /** Grant a request. Needs the role manager; one's own only an admin grants. */
  '/api/leave-requests/{leave_id}/approve': {
    path: { leave_id: number };
    query: Record<never, never>;
    body: LeaveStep;
    answer: AnswerLeaveView;
  };
  /** Take back a request; with the role manager also anybody's, and approved leave that has not begun. */
  '/api/leave-requests/{leave_id}/cancel': {
    path: { leave_id: number };
    query: Record<never, never>;
    body: LeaveStep;
    answer: AnswerLeaveView;
  };
  /** Refuse a request. Needs the role manager; one's own only an admin refuses. */
  '/api/leave-requests/{leave_id}/reject': {
    path: { leave_id: number };
    query: Record<never, never>;
    body: LeaveRejection;
    answer: AnswerLeaveView;
  };
  /** Tell something to a user or to a role; as an administrator to everybody. */
  '/api/notifications': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: NotificationInput;
    answer: AnswerNotificationView;
  };
  /** I have seen them all. */
  '/api/notifications/read-all': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: AnswerReadCount;
  };
  /** I have seen this one. */
  '/api/notifications/{notification_id}/read': {
    path: { notification_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerReadCount;
  };
  /** Enter time that was worked: one's own, or with the role manager anybody's. */
  '/api/time-entries': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: TimeEntryInput;
    answer: AnswerTimeEntryRow;
  };
  /** A new user. */
  '/api/users': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: NewUserInput;
    answer: AnswerUserView;
  };
  /** The user's tokens are void at once and his sockets close. */
  '/api/users/{user_id}/disable': {
    path: { user_id: number };
    query: Record<never, never>;
    body: VersionInput;
    answer: AnswerUserView;
  };
  /** Let a disabled user sign in again; his old tokens stay void. */
  '/api/users/{user_id}/enable': {
    path: { user_id: number };
    query: Record<never, never>;
    body: VersionInput;
    answer: AnswerUserView;
  };
  /** Give a user a new password; all his sign-ins end. */
  '/api/users/{user_id}/password': {
    path: { user_id: number };
    query: Record<never, never>;
    body: SetPasswordInput;
    answer: AnswerUserView;
  };
}

export interface Puts {
  /** Let somebody into a private channel; he is told so. */
  '/api/chat/channels/{channel_id}/members/{user_id}': {
    path: { channel_id: string; user_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerMemberView;
  };
  /** Refuse all changes from now on, or allow them again. */
  '/api/system/maintenance': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: MaintenanceInput;
    answer: AnswerMaintenanceView;
  };
}

export interface Patches {
  /** Rename an account, or close it for manual entries. */
  '/api/accounts/{account_id}': {
    path: { account_id: number };
    query: Record<never, never>;
    body: AccountPatch;
    answer: AnswerAccountView;
  };
  /** Rename my channel or give it another topic; its id and its room stay. */
  '/api/chat/channels/{channel_id}': {
    path: { channel_id: string };
    query: Record<never, never>;
    body: ChannelPatch;
    answer: AnswerChannelRow;
  };
  /** Correct what I have said, within 15 minutes. */
  '/api/chat/messages/{message_id}': {
    path: { message_id: number };
    query: Record<never, never>;
    body: MessagePatch;
    answer: AnswerMessageView;
  };
  /** Change our company's data. What was sent before keeps what stood on it. */
  '/api/company': {
    path: Record<never, never>;
    query: Record<never, never>;
    body: CompanyPatch;
    answer: AnswerCompanyView;
  };
  /** Change a customer. Invoices that were sent keep the address that stood on them. */
  '/api/customers/{customer_id}': {
    path: { customer_id: number };
    query: Record<never, never>;
    body: CustomerPatch;
    answer: AnswerCustomerView;
  };
  /** Give a department another name or cost centre. Needs the role manager. */
  '/api/departments/{department_id}': {
    path: { department_id: number };
    query: Record<never, never>;
    body: DepartmentPatch;
    answer: AnswerDepartmentView;
  };
  /** Change an employee, end the employment (`leftOn`), link an account (`userId`). Needs the role manager. */
  '/api/employees/{employee_id}': {
    path: { employee_id: number };
    query: Record<never, never>;
    body: EmployeePatch;
    answer: AnswerUnionPaidEmployeeViewEmployeeView;
  };
  /** Change title, description, icon, kind or role; what is left out stays as it is, and so does the id. */
  '/api/functions/nodes/{node_id}': {
    path: { node_id: string };
    query: Record<never, never>;
    body: NodePatch;
    answer: AnswerNodeView;
  };
  /** Change a draft. A sent invoice is immutable: 409. */
  '/api/invoices/{invoice_id}': {
    path: { invoice_id: number };
    query: Record<never, never>;
    body: InvoicePatch;
    answer: AnswerInvoiceView;
  };
  /** Change a request that nobody has decided: one's own, or with the role manager anybody's. */
  '/api/leave-requests/{leave_id}': {
    path: { leave_id: number };
    query: Record<never, never>;
    body: LeavePatch;
    answer: AnswerLeaveView;
  };
  /** Correct a time entry: one's own, or with the role manager anybody's. */
  '/api/time-entries/{entry_id}': {
    path: { entry_id: number };
    query: Record<never, never>;
    body: TimeEntryPatch;
    answer: AnswerTimeEntryRow;
  };
  /** Name, role or language; a new role closes the user's sockets. */
  '/api/users/{user_id}': {
    path: { user_id: number };
    query: Record<never, never>;
    body: UserChangeInput;
    answer: AnswerUserView;
  };
}

export interface Deletes {
  /** Forget a job that is over, with its items and its file. For its owner and managers. */
  '/api/batch/jobs/{job_id}': {
    path: { job_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: undefined;
  };
  /** Take somebody out of a private channel, or leave it: from this moment it does not exist for him. */
  '/api/chat/channels/{channel_id}/members/{user_id}': {
    path: { channel_id: string; user_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerNoneType;
  };
  /** Take back what I have said, or as a manager what anybody has; an empty message stays in its place. */
  '/api/chat/messages/{message_id}': {
    path: { message_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerMessageView;
  };
  /** Delete a department that never had an employee; else 409. Needs the role manager. */
  '/api/departments/{department_id}': {
    path: { department_id: number };
    query: { version: number };
    body: undefined;
    answer: AnswerDeleted2;
  };
  /** Delete a node; with `recursive` also everything below it, otherwise that is a 409. */
  '/api/functions/nodes/{node_id}': {
    path: { node_id: string };
    query: { version: number; recursive?: boolean; dryRun?: boolean };
    body: undefined;
    answer: AnswerDeleted1;
  };
  /** Take back what I have announced; an administrator may take back anything. */
  '/api/notifications/{notification_id}': {
    path: { notification_id: number };
    query: Record<never, never>;
    body: undefined;
    answer: AnswerDeletedNotification;
  };
  /** Remove a time entry: one's own, or with the role manager anybody's. */
  '/api/time-entries/{entry_id}': {
    path: { entry_id: number };
    query: { version: number };
    body: undefined;
    answer: AnswerDeleted2;
  };
}
