import { expect, test } from 'vitest';
import { serversOf, socketsOf, total } from './socket_stats';

test('a server that says little is shown with what it says', () => {
  const told = socketsOf({ success: true, stats: { activeConnections: 3, rooms: [], events: { 'chat:message': 2 }, uptime: 9 } });
  expect(told?.stats.activeConnections).toBe(3);
  expect(told?.cluster).toBeNull();
  expect(socketsOf(null)).toBeNull();
  expect(total(told?.stats.received)).toBe(0);
});

test('servers of a cluster have the names of their nodes', () => {
  expect(serversOf({ servers: [{ nodes: { id: 'ab12' } }, {}] }).map((one) => one.id)).toEqual(['ab12', '2']);
  expect(serversOf(null)).toEqual([]);
});
