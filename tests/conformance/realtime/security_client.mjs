// The stock JavaScript client against limits, expiry and revocation: every scenario over every transport, side by side.
// usage: node security_client.mjs <path of socket.io-client> <url>...    prints one JSON line a scenario
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const [modulePath, ...urls] = process.argv.slice(2);
const { io } = await import(pathToFileURL(modulePath));

const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let people = 0;
const name = () => `user-${++people}`;
const address = () => `198.51.${++people >> 8}.${people & 255}`;

function connect(place, user, { path = "", auth = { token: user }, from = address(), headers = {}, ...options } = {}) {
  const socket = io(place.url + path, {
    transports: place.transports,
    forceNew: true,
    auth,
    reconnectionDelay: 20,
    extraHeaders: { "X-Forwarded-For": from, ...headers },
    ...options,
  });
  place.sockets.push(socket);
  return socket;
}
async function connected(place, user = name(), options = {}) {
  const socket = connect(place, user, options);
  await Promise.race([once(socket, "connect"), once(socket, "connect_error").then(([error]) => Promise.reject(error))]);
  if (place.name === "upgrade" && socket.io.engine.transport.name !== "websocket") await once(socket.io.engine, "upgrade");
  return socket;
}
async function refusal(place, user, options = {}) {
  const [error] = await once(connect(place, user, { reconnection: false, ...options }), "connect_error");
  return error;
}

const SCENARIOS = {
  async "renews in band and misses nothing"(place) {
    const user = name();
    const socket = await connected(place, user, { auth: { token: user, lifeMs: 60_000 } });
    const other = await connected(place);
    const heard = [];
    let renewed;
    socket.on("said", (room, number) => room === `user:${user}` && heard.push(number));
    for (let number = 0; number < 60; number++) {
      other.emit("say", `user:${user}`, number);
      // A credential that ends soon and the next one, in one breath: how busy this machine is does not matter.
      if (number === 20) renewed = Promise.all([800, 60_000].map((lifeMs) => socket.emitWithAck("refresh", lifeMs)));
      await pause(8);
    }
    const [first, second] = await renewed;
    assert.ok(second > first);
    while (Date.now() < first + 300) await pause(20);
    while (heard.at(-1) !== 59) await once(socket, "said");
    assert.deepEqual(heard, [...Array(60).keys()]);
    assert.ok(socket.connected);
  },
  async "is who the proxy says"(place) {
    const socket = connect(place, name(), { from: "6.6.6.6, 203.0.113.77" });
    const [{ address }] = await once(socket, "welcome");
    assert.equal(address, "203.0.113.77");
  },
  async "loses its connection within a second of its credential's end"(place) {
    const user = name();
    const witness = await connected(place);
    const socket = connect(place, user, { auth: { token: user, lifeMs: 700 } });
    const [{ expiresAtMs }] = await once(socket, "welcome");
    const refused = once(socket, "connect_error");
    const [reason] = await once(socket, "disconnect");
    assert.match(reason, /^transport (close|error)$/);
    assert.ok(Date.now() >= expiresAtMs - 5);
    const lateMs = await witness.emitWithAck("late", user); // as the server has it: this process is busy
    assert.ok(lateMs >= 0 && lateMs < 1000, `${lateMs} ms late`);
    const [error] = await refused;
    assert.equal(error.message, "Token expired");
  },
  async "comes back by itself with a new credential"(place) {
    const user = name();
    let asked = 0;
    const auth = (give) => give(++asked === 1 ? { token: user, lifeMs: 300, canRenew: true } : { token: user });
    const socket = connect(place, user, { auth });
    await once(socket, "connect");
    const before = socket.id;
    await once(socket, "disconnect");
    await once(socket, "connect");
    assert.notEqual(socket.id, before);
    assert.ok(asked >= 2);
  },
  async "stays away when it is revoked, and is not let in again"(place) {
    const user = name();
    const [victim, other] = await Promise.all([connected(place, user), connected(place)]);
    other.emit("revoke", user);
    const [reason] = await once(victim, "disconnect");
    assert.equal(reason, "io server disconnect");
    assert.equal(victim.active, false);
    assert.equal((await refusal(place, user)).message, "Authentication required");
  },
  async "is revoked in every namespace"(place) {
    const user = name();
    const victim = await connected(place, user);
    const hr = victim.io.socket("/hr", { auth: { token: user } });
    if (!hr.connected) await once(hr, "connect");
    const both = Promise.all([once(victim, "disconnect"), once(hr, "disconnect")]);
    (await connected(place)).emit("revoke", user);
    assert.deepEqual(await both.then((all) => all.map(([reason]) => reason)), Array(2).fill("io server disconnect"));
  },
  async "does not slip in when it is revoked while it is asked about"(place) {
    const user = name();
    const witness = await connected(place, name(), { auth: { token: name(), isWitness: true } });
    const asked = new Promise((resolve) => witness.on("asked about", (one) => one === user && resolve()));
    const refused = refusal(place, user, { auth: { token: user, slowly: true } });
    await asked;
    witness.emit("revoke", user);
    assert.equal((await refused).message, "Authentication required");
  },
  async "hears nothing of a role that it has lost"(place) {
    const user = name();
    const [victim, other] = await Promise.all([connected(place, user), connected(place)]);
    const heard = [];
    victim.on("said", (room) => heard.push(room));
    assert.deepEqual(await victim.emitWithAck("room:join", `admin:${user}`), { ok: true });
    for (const room of ["role:admin", `admin:${user}`]) await other.emitWithAck("say", room);
    await other.emitWithAck("demote", user);
    for (const room of ["role:admin", `admin:${user}`, `user:${user}`]) await other.emitWithAck("say", room);
    while (!heard.includes(`user:${user}`)) await once(victim, "said");
    const mine = heard.filter((room) => room !== "role:admin");
    assert.deepEqual(mine, [`admin:${user}`, `user:${user}`]);
    assert.equal((await victim.emitWithAck("room:join", `admin:${user}`)).error.code, "forbidden");
  },
  async "cannot join what stands for somebody"(place) {
    const [anna, ben] = await Promise.all([connected(place), connected(place)]);
    for (const room of [`user:${name()}`, ben.id, "-AAAAAAAAAAAAAAAAAAA"])
      assert.equal((await anna.emitWithAck("room:join", room)).error.code, "forbidden");
  },
  async "has so many connections as one user"(place) {
    const user = name();
    const [first] = await Promise.all([connected(place, user), connected(place, user)]);
    const error = await refusal(place, user);
    assert.equal(error.message, "Too many connections");
    assert.ok(error.data.retryAfterMs > 0);
    first.disconnect();
    await connected(place, user).catch(() => pause(100).then(() => connected(place, user)));
  },
  async "is told when an event comes too fast, and goes on"(place) {
    const socket = await connected(place);
    assert.deepEqual([await socket.emitWithAck("rare"), await socket.emitWithAck("rare")], ["done", "done"]);
    const { ok, error } = await socket.emitWithAck("rare");
    assert.deepEqual([ok, error.code], [false, "rate_limited"]);
    assert.ok(error.retryAfterMs > 50_000);
    assert.equal(await socket.emitWithAck("ticks", 1), 1);
  },
  async "is told that its address asks too often"(place) {
    const from = address();
    for (let number = 0; number < 3; number++)
      assert.equal((await refusal(place, "", { auth: {}, from })).message, "Authentication required");
    const error = await refusal(place, name(), { from });
    assert.equal(error.message, "Too many requests");
    assert.ok(error.data.retryAfterMs > 50_000);
    await connected(place);
  },
  async "is not let in with a credential as large as a book"(place) {
    const socket = connect(place, name(), { auth: { token: "x".repeat(20_000) }, reconnection: false });
    const reason = await Promise.race([once(socket.io, "close").then(([reason]) => reason), once(socket, "connect")]);
    assert.match(String(reason), /^transport (close|error)|forced close$/);
  },
  async "goes on without an upgrade that a foreign page asks for"(place) {
    if (place.name !== "upgrade") return;
    const socket = connect(place, name(), {
      headers: {},
      transportOptions: { websocket: { extraHeaders: { Origin: "https://evil.example" } } },
    });
    const failed = new Promise((resolve) => socket.io.on("open", () => socket.io.engine.once("upgradeError", resolve)));
    await once(socket, "connect");
    await failed;
    assert.equal(socket.io.engine.transport.name, "polling");
    assert.equal(await socket.emitWithAck("ticks", 1), 1);
  },
  async "is cut off as a flood and comes back"(place) {
    const socket = await connected(place);
    const gone = once(socket, "disconnect");
    for (let number = 0; number < 1500; number++) socket.emit("nothing", "x".repeat(400));
    assert.match((await gone)[0], /^transport (close|error)$/);
    await once(socket, "connect");
  },
};

async function run(url, transport, title, scenario) {
  const place = { url, name: transport, transports: TRANSPORTS[transport], sockets: [] };
  let problem = null;
  try {
    await Promise.race([scenario(place), pause(12_000).then(() => assert.fail("it took more than 12 s"))]);
  } catch (error) {
    problem = String(error.stack);
  }
  for (const socket of place.sockets) socket.disconnect();
  console.log(JSON.stringify({ url, transport, name: title, problem }));
}

const ABREAST = 32;
const waiting = Object.entries(SCENARIOS).flatMap(([title, scenario]) =>
  urls.flatMap((url) => Object.keys(TRANSPORTS).map((transport) => () => run(url, transport, title, scenario))),
);
const worker = async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await next();
};
await Promise.all(Array.from({ length: ABREAST }, worker));
process.exit(0);
