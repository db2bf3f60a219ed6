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
  invalid?: { received: Readonly<Record<string, number>>; sent: Readonly<Record<string, number>> };
  recoveries?: Readonly<Record<string, number>>;
  revocations?: number;
  roundTrip?: Spread;
  writes?: Spread;
  stalls?: number;
  collector?: { collections: number; pauseMs: number; worstPauseMs: number };
  draining?: boolean;
  nodes?: Readonly<Record<string, unknown>> | null;
}

export type NodeStats = { activeConnections?: number; uptime?: number; queues?: SocketStats['queues']; slowClients?: number };

export interface ClusterStats {
  activeConnections?: number;
  servers?: Readonly<Record<string, NodeStats>> | readonly (NodeStats & { id?: string })[];
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

/** The servers of the cluster, however they are listed. */
export function serversOf(cluster: ClusterStats | null): (NodeStats & { id: string })[] {
  const { servers } = cluster ?? {};
  if (!servers) return [];
  if (Array.isArray(servers)) return servers.map((one: NodeStats & { id?: string }, index) => ({ ...one, id: one.id ?? String(index + 1) }));
  return Object.entries(servers as Readonly<Record<string, NodeStats>>).map(([id, one]) => ({ ...one, id }));
}
