// A foreign client that only listens: the stock socket.io-client, one JSON line on stdout for all it hears.
// usage: node listen.mjs URL TOKEN TRANSPORT EVENT   (cwd: web/, whose node_modules hold the client)
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const { io } = require('socket.io-client');
const [url, token, transport, event] = process.argv.slice(2);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const transports = transport === 'upgrade' ? ['polling', 'websocket'] : [transport];
const socket = io(url, { auth: token ? { token } : {}, transports, reconnection: false });
socket.on('connect', () => tell({ kind: 'connect', id: socket.id }));
socket.on('connect_error', (error) => tell({ kind: 'connect_error', message: error.message }));
socket.on('disconnect', (reason) => tell({ kind: 'disconnect', reason }));
socket.on(event, (payload) => tell({ kind: 'event', event, payload }));
process.stdin.on('end', () => socket.close()).resume();
