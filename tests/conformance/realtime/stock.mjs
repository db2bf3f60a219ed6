// The words that scenarios are written in: the stock JavaScript client, `io`, and what to expect of it.
// A subject is a file `scenarios/NAME.mjs`, found by itself. If the application must do more for it than
// `application.py` says, `scenarios/NAME.py` has a function prepare(io).
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const { io } = await import(pathToFileURL(process.argv[2]));

export { assert };
export const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** Ask until the answer is true. */
export async function until(condition) {
  while (!(await condition())) await pause(5);
}
let people = 0;
/** A name that no other scenario uses. */
export const somebody = (prefix = "user") => `${prefix}-${++people}`;

const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };
export const scenarios = [];

/** `source`: where the behaviour is promised. `only`: the places it is run in, if not everywhere. */
export function scenario(name, source, run, { only = Object.keys(TRANSPORTS) } = {}) {
  scenarios.push({ name, source, run, only });
}

/** A client on its way. Whatever else the options say is for `io()`. */
export function connect(place, user = somebody(), { path = "", auth = { token: user }, over = place.name, ...options } = {}) {
  const socket = io(place.url + path, { transports: TRANSPORTS[over], forceNew: true, auth, reconnectionDelay: 20, ...options });
  place.sockets.push(socket);
  return socket;
}

/** A client that is in its namespace and, where it upgrades, on its WebSocket. */
export async function connected(place, user = somebody(), options = {}) {
  const socket = connect(place, user, options);
  await once(socket, "connect");
  if ((options.over ?? place.name) === "upgrade" && options.upgrade !== false) await upgraded(socket);
  return socket;
}

export async function upgraded(socket) {
  if (socket.io.engine.transport.name !== "websocket") await once(socket.io.engine, "upgrade");
}

/** What `socket` hears of `event` from now on, a list that grows; of several arguments all are kept. */
export function hearing(socket, event) {
  const heard = [];
  socket.on(event, (...args) => heard.push(args.length === 1 ? args[0] : args));
  return heard;
}

/** A round trip of each: what was sent to them before has arrived. */
export const settled = (...sockets) => Promise.all(sockets.map((socket) => socket.emitWithAck("echo")));

export const bytes = (data) => [...new Uint8Array(data.buffer ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data)];
