// Node's in-memory adapter with connection state recovery: the same emissions and the same returns as ours.
// usage: node recovery_node.mjs EMISSIONS ROOMS RETURNS ROUNDS BEHIND    (in a folder with socket.io) -> one JSON line
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "node_modules", "socket.io", "package.json"));
const { SessionAwareAdapter } = require("socket.io-adapter");
const [emissions, rooms, returns, rounds, behind] = process.argv.slice(2).map(Number);
const encoder = { encode: (packet) => ["2" + JSON.stringify(packet.data)] };
const server = { encoder, opts: { connectionStateRecovery: { maxDisconnectionDuration: 1e9 } } };
const adapter = new SessionAwareAdapter({ name: "/", server, sockets: new Map(), _onServerSideEmit() {} });
const text = "x".repeat(100);
const cpu = () => process.cpuUsage().user + process.cpuUsage().system;

const offsets = [];
const before = process.memoryUsage().rss;
const started = cpu();
for (let n = 0; n < emissions; n++) {
  const packet = { type: 2, data: ["n", { n, text }] };
  adapter.broadcast(packet, { rooms: new Set([`room:${n % rooms}`]), except: new Set(), flags: {} });
  offsets.push(packet.data[packet.data.length - 1]);
}
const emitUs = (cpu() - started) / emissions;
const rss = process.memoryUsage().rss - before;
const samples = [];
let heard = 0;
for (let round = 0; round < rounds; round++) {
  for (let n = 0; n < returns; n++)
    adapter.persistSession({ sid: `s${n}`, pid: `p${n}`, data: {}, rooms: [`s${n}`, `room:${n % rooms}`, `room:${(n + 7) % rooms}`] });
  const at = cpu();
  for (let n = 0; n < returns; n++) {
    const session = await adapter.restoreSession(`p${n}`, offsets[emissions - 1 - behind]);
    heard += session.missedPackets.length;
  }
  samples.push((cpu() - at) / returns);
}
console.log(JSON.stringify({ emit_us: emitUs, rss_mb: rss / 1e6, restore_us: samples, heard: heard / rounds / returns }));
process.exit(0);
