// The stock JavaScript client on wires of our own: compressed, over TLS, in bursts, and one that stops reading.
// usage: node stock_client_wire.mjs <path of socket.io-client> <url>...    prints one JSON line a scenario
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const [modulePath, ...urls] = process.argv.slice(2);
const { io } = await import(pathToFileURL(modulePath));
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
const long = (seed) => Array.from({ length: 400 }, (_, at) => `${seed}-${at}`).join(" ");

async function connected(place, options = {}) {
  const socket = io(place.url, {
    transports: ["websocket"], forceNew: true, reconnectionDelay: 20, rejectUnauthorized: false, ...options,
  });
  place.sockets.push(socket);
  await once(socket, "connect");
  return socket;
}
const wire = (socket) => socket.io.engine.transport.ws;

const SCENARIOS = {
  async "agrees to compress"(place) {
    assert.match(wire(await connected(place)).extensions, /permessage-deflate/);
    assert.equal(wire(await connected(place, { perMessageDeflate: false })).extensions, "");
  },
  async "exchanges long texts and bytes, compressed"(place) {
    const socket = await connected(place);
    for (const data of [long(1), { deep: [long(2), long(3)] }, "ä€😀".repeat(2000)])
      assert.deepEqual(await socket.timeout(5000).emitWithAck("echo", data), data);
    const bytes = Buffer.from(long(4));
    assert.deepEqual(await socket.timeout(5000).emitWithAck("echo", bytes), bytes);
  },
  async "and uncompressed where it did not agree"(place) {
    const socket = await connected(place, { perMessageDeflate: false });
    assert.equal(await socket.timeout(5000).emitWithAck("echo", long(5)), long(5));
  },
  async "hears what must not be compressed"(place) {
    const socket = await connected(place);
    socket.emit("plainly", long(6));
    assert.deepEqual(await once(socket, "plainly"), [long(6)]);
  },
  async "hears a burst in order, with the answer where it was given"(place) {
    const [socket, other] = [await connected(place), await connected(place)];
    const heard = [];
    for (const each of [socket, other]) each.on("burst", (number) => each === other && heard.push(number));
    const own = [];
    socket.on("burst", (number) => own.push(number));
    socket.on("only you", (number) => own.push(`you ${number}`));
    const last = once(other, "burst over");
    const answer = await socket.timeout(5000).emitWithAck("burst", 200);
    assert.equal(answer, "done");
    const expected = Array.from({ length: 200 }, (_, n) => (n % 50 ? [n] : [n, `you ${n}`])).flat();
    assert.deepEqual(own, expected);
    await last;
    assert.deepEqual(heard.slice(0, 200), Array.from({ length: 200 }, (_, n) => n));
  },
  async "that stops reading is cut off and comes back by itself"(place) {
    const socket = await connected(place);
    const first = socket.id;
    wire(socket)._socket.pause();
    const cut = once(socket, "disconnect");
    socket.emit("flood me");
    await new Promise((resolve) => setTimeout(resolve, 300));
    wire(socket)._socket?.resume();
    const [reason] = await cut;
    assert.ok(["transport close", "transport error"].includes(reason), reason);
    await once(socket, "connect");
    assert.notEqual(socket.id, first);
    assert.equal(await socket.timeout(5000).emitWithAck("echo", 1), 1);
  },
};

const places = urls.map((url) => ({ url, sockets: [] }));
await Promise.all(places.map(async (place) => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    let problem = null;
    try {
      await Promise.race([
        scenario(place),
        new Promise((_, reject) => setTimeout(() => reject(new Error("took more than 15 s")), 15000).unref()),
      ]);
    } catch (error) {
      problem = error.stack;
    }
    for (const socket of place.sockets.splice(0)) socket.disconnect();
    console.log(JSON.stringify({ url: place.url, name, problem }));
  }
}));
process.exit(0);
