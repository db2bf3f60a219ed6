/** The events of the server. Made from their schemas by `python3 dev.py types`: not to be changed by hand. */

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

export interface ActivityUpdate {
  widget: 'activity';
  data: ActivityEntry[];
}

/** Jobs by status. */
export interface BatchFigure {
  queued: number;
  running: number;
  done: number;
  failed: number;
  cancelled: number;
}

export interface BatchUpdate {
  widget: 'batch';
  data: BatchFigure;
}

/** What the bank accounts and the cash box hold, by the books. */
export interface CashFigure {
  balanceCents: number;
}

export interface CashUpdate {
  widget: 'cash';
  data: CashFigure;
}

/** What the node is now, for those who see it. */
export interface ChangedNode {
  function: NodeView;
}

/** Why not. `retryAfterMs`: the same may be sent again then. */
export interface Complaint {
  code: string;
  message: string;
  fields?: FieldFlaw[];
  retryAfterMs?: number;
}

export interface DepartmentHeadcount {
  name: string;
  count: number;
}

/** The acknowledgement of what has nothing to say but that it was done. */
export interface Done {
  ok: true;
}

export interface FieldFlaw {
  field: string;
  message: string;
}

/** For those who saw it and no longer do. */
export interface GoneNode {
  deleted: string;
}

/** Who is employed today. */
export interface HeadcountFigure {
  total: number;
  departments: DepartmentHeadcount[];
}

export interface HeadcountUpdate {
  widget: 'headcount';
  data: HeadcountFigure;
}

/** An alert of the query monitor: raised (`active`) or, with the same id, `resolved`. */
export interface HeardAlert {
  id: string;
  kind: Measure;
  subject: string;
  severity: Severity;
  state: 'active' | 'resolved';
  value: number;
  threshold: number;
  message: string;
  since: string;
  at: string;
  times: number;
}

/** A message as its channel hears it; the same id again, edited or deleted, replaces it. */
export interface HeardMessage {
  id: number;
  channel: string;
  user: Speaker;
  text: string;
  at: string;
  editedAt?: string;
  deleted?: true;
}

/** Somebody has come into a channel's room, or is gone from it for more than a moment. */
export interface HeardPresence {
  channel: string;
  userId: number;
  present: boolean;
}

/** Somebody types. */
export interface HeardTyping {
  channel: string;
  user: Speaker;
}

/** Minutes recorded in the week of the business date, Monday to Sunday. */
export interface HoursFigure {
  weekStart: string;
  minutes: number;
}

export interface HoursUpdate {
  widget: 'hoursThisWeek';
  data: HoursFigure;
}

/** The job is over, after its last progress. */
export interface JobComplete {
  jobId: number;
  result: JobResult;
}

/** An item has failed. */
export interface JobError {
  jobId: number;
  item: number;
  error: string;
}

/** `done` counts items that failed, too; within an attempt it never runs backwards. */
export interface JobProgress {
  jobId: number;
  done: number;
  total: number;
  percent: number;
  attempt: number;
}

export interface JobResult {
  status: JobStatus;
  total: number;
  done: number;
  failed: number;
  cancelled: number;
  attempt: number;
}

export type JobStatus = 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

export type Kind = 'category' | 'group' | 'record' | 'workflow' | 'report' | 'dataset' | 'item';

export type Level = 'info' | 'success' | 'warning' | 'error';

/** `body` is left out if the client has it. */
export interface LiveAnswer {
  ok: true;
  etag: string;
  body?: unknown;
}

export interface LiveEnded {
  path: string;
  error: Complaint;
}

export interface LiveStale {
  path: string;
}

/** `path` with its query, as it would be fetched. `etag`: of what the client has already. */
export interface LiveSubscription {
  path: string;
  etag?: string;
}

export interface LiveUnsubscription {
  path: string;
}

/** `body`, or a JSON Merge Patch (RFC 7396) of the answer whose ETag is `base`; `path` as it was asked. */
export interface LiveUpdate {
  path: string;
  etag: string;
  body?: unknown;
  patch?: Record<string, unknown>;
  base?: string;
}

/** Whether writing is switched off, and until when. */
export interface MaintenanceNotice {
  enabled: boolean;
  message: string;
  until: string | null;
}

/** What is watched; `Measured.value` is in the unit named here. */
export type Measure = 'slow_share' | 'error_rate' | 'p95' | 'p99' | 'pool_exhausted' | 'loop_lag' | 'plan_regressed' | 'unpredicted_write';

/** A message, over HTTP or as the socket event `chat:message`. */
export interface MessageInput {
  /** Plain text */
  text: string;
  key?: string | null;
  /** E.g. `general` */
  channel: string;
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

/** A notification as it is heard: to one user in his language, to several in German. */
export interface Notice {
  id: number;
  level: Level;
  title: string;
  message: string;
  at: string;
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

export interface OwedUpdate {
  widget: 'openInvoices' | 'overdueInvoices';
  data: OwedFigure;
}

/** Who is in a channel's room, at whatever server. */
export interface Present {
  ok: true;
  userIds: number[];
}

/** What any acknowledgement may be instead: the event was not handled. */
export interface Refusal {
  ok: false;
  error: Complaint;
}

/** Read the catalogue again. */
export interface Reloaded {
  loadedAt: string;
}

/** Net revenue of the last twelve months, oldest first, of invoices that were sent and not cancelled. */
export interface RevenueFigure {
  months: MonthRevenue[];
}

export interface RevenueUpdate {
  widget: 'revenue';
  data: RevenueFigure;
}

export type Role = 'admin' | 'manager' | 'clerk' | 'auditor';

export interface RoomRequest {
  room: string;
}

/** The acknowledgement of what was said: it is written. */
export interface Said {
  ok: true;
  message: MessageView;
}

export type Severity = 'warning' | 'critical';

/** The socket event `auth:refresh`. */
export interface SocketRenewal {
  token: string;
}

export interface Speaker {
  id: number | null;
  name: string;
}

/** The socket events `chat:typing` and `chat:here`. */
export interface TypingInput {
  /** E.g. `general` */
  channel: string;
}

export interface ServerToClientEvents {
  /** The job is over */
  'batch:complete': (payload: JobComplete) => void;
  /** An item has failed; the first 100 of an attempt */
  'batch:error': (payload: JobError) => void;
  /** Items have ended */
  'batch:progress': (payload: JobProgress) => void;
  /** Rules or much of the tree have changed: read the catalogue again */
  'catalog:reload': (payload: Reloaded) => void;
  /** A node was created, changed, moved or deleted */
  'catalog:update': (payload: ChangedNode | GoneNode) => void;
  /** Something was said, edited or deleted */
  'chat:message': (payload: HeardMessage) => void;
  /** The first socket of a user has entered the room, or the last one has left it */
  'chat:presence': (payload: HeardPresence) => void;
  /** Somebody types in the channel */
  'chat:typing': (payload: HeardTyping) => void;
  /** A commit has changed the overview */
  'dashboard:update': (payload: Overview) => void;
  /** A widget differs; said after the whole overview */
  'dashboard:widget:update': (payload: RevenueUpdate | OwedUpdate | CashUpdate | HeadcountUpdate | HoursUpdate | BatchUpdate | ActivityUpdate) => void;
  /** A subscription is over, and why */
  'live:ended': (payload: LiveEnded) => void;
  /** A commit has changed an answer that is one user's alone: whoever shows it subscribes again, or fetches */
  'live:stale': (payload: LiveStale) => void;
  /** A commit has changed an answer: the whole, or a patch of the answer `base`. Who has another than that subscribes again */
  'live:update': (payload: LiveUpdate) => void;
  /** An alert of the query monitor was raised or is resolved */
  'monitor:alert': (payload: HeardAlert) => void;
  /** Maintenance was switched on or off, or changed */
  'system:maintenance': (payload: MaintenanceNotice) => void;
  /** A notice was written */
  'system:notification': (payload: Notice) => void;
}

export interface ClientToServerEvents {
  /** A newer token of mine keeps the connection past the old one */
  'auth:refresh': (payload: SocketRenewal, ack: (answer: Done | Refusal) => void) => void;
  /** Who else is in a channel whose room I have joined? */
  'chat:here': (payload: TypingInput, ack: (answer: Present | Refusal) => void) => void;
  /** Say something; acknowledged when it is written */
  'chat:message': (payload: MessageInput, ack: (answer: Said | Refusal) => void) => void;
  /** I type, in a channel whose room I have joined */
  'chat:typing': (payload: TypingInput, ack: (answer: Done | Refusal) => void) => void;
  /** Hear of every commit that changes the answer to GET `path` */
  'live:subscribe': (payload: LiveSubscription, ack: (answer: LiveAnswer | Refusal) => void) => void;
  /** Hear of it no more */
  'live:unsubscribe': (payload: LiveUnsubscription, ack: (answer: Done | Refusal) => void) => void;
  /** Enter a room that is open to you */
  'room:join': (payload: RoomRequest | string, ack: (answer: Done | Refusal) => void) => void;
  /** Leave a room */
  'room:leave': (payload: RoomRequest | string, ack: (answer: Done | Refusal) => void) => void;
}
