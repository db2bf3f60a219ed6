/** What `/api/ws/stats` says, as far as this server says it: an older or a smaller one leaves members out. */

export interface Spread {
  count: number;
  p50Ms: number;
  p99Ms: number;
  worstMs: number;
}

export interface SocketStats {
  activeConnections: number;
  rooms: readonly string[];
  events: Readonly<Record<string, number>>;
  uptime: number;
  received?: Readonly<Record<string, number>>;
  rates?: { windowS: number; out: Readonly<Record<string, number>>; in: Readonly<Record<string, number>> };
  queues?: { sessions: number; polling: number; waiting: number; bytes: number; largestBytes: number };
  dropped?: { volatile: number; replaced: number };
  slowClients?: number;
  refused?: Readonly<Record<string, number>>;
  traffic?: { sessionsOpened: number; sessionsClosed: number; deliveries: number; bytesOut: number; bytesIn: number };
  invalid?: { received: number; sent: number };
  recoveries?: Readonly<Record<string, number>>;
  revocations?: number;
  roundTrip?: Spread;
  writes?: Spread & { stalls: number };
  collector?: { collections: number; pauseMs: number; worstPauseMs: number };
  draining?: boolean;
  nodes?: Readonly<Record<string, string | number | boolean>> | null;
}

export type NodeStats = Partial<Pick<SocketStats, 'activeConnections' | 'uptime' | 'queues' | 'slowClients' | 'nodes'>>;

export interface ClusterStats {
  activeConnections?: number;
  servers?: readonly NodeStats[];
  missing?: readonly string[];
}

/** The document of the answer, whose route promises no more than an object. Null for what is none. */
export function socketsOf(body: unknown): { stats: SocketStats; cluster: ClusterStats | null } | null {
  if (typeof body !== 'object' || body === null || !('stats' in body)) return null;
  const cluster = 'cluster' in body && typeof body.cluster === 'object' ? (body.cluster as ClusterStats | null) : null;
  return { stats: body.stats as SocketStats, cluster };
}

export function total(counts: Readonly<Record<string, number>> | undefined): number {
  return Object.values(counts ?? {}).reduce((sum, one) => sum + one, 0);
}

/** The servers of the cluster by the names of their nodes, or by their place. */
export function serversOf(cluster: ClusterStats | null): (NodeStats & { id: string })[] {
  return (cluster?.servers ?? []).map((one, index) => ({ ...one, id: String(one.nodes?.['id'] ?? index + 1) }));
}
