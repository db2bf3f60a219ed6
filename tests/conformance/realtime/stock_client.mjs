// The stock JavaScript client against our server: every scenario over every transport, side by side.
// usage: node stock_client.mjs <path of socket.io-client> <url>...    prints one JSON line a scenario
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const [modulePath, ...urls] = process.argv.slice(2);
const { io } = await import(pathToFileURL(modulePath));

const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let people = 0;

function connect(place, user, { path = "", auth = { token: user }, ...options } = {}) {
  const socket = io(place.url + path, { transports: place.transports, forceNew: true, auth, reconnectionDelay: 20, ...options });
  place.sockets.push(socket);
  return socket;
}
async function connected(place, user = `user-${++people}`, options = {}) {
  const socket = connect(place, user, options);
  await once(socket, "connect");
  if (place.name === "upgrade" && socket.io.engine.transport.name !== "websocket") await once(socket.io.engine, "upgrade");
  return socket;
}

const SCENARIOS = {
  async "connects with auth and is welcomed"(place) {
    const socket = connect(place, "anna");
    const [welcome] = await once(socket, "welcome");
    assert.deepEqual(welcome, { user: "anna", address: "127.0.0.1" });
    assert.match(socket.id, /^[\w-]{20}$/);
    assert.notEqual(socket.id, socket.io.engine.id);
  },
  async "is refused without a token"(place) {
    const [error] = await once(connect(place, "", { auth: {} }), "connect_error");
    assert.equal(error.message, "Authentication required");
    assert.equal(error.data, undefined);
  },
  async "hears the data of a refusal"(place) {
    const socket = connect(place, "expired");
    const [error] = await once(socket, "connect_error");
    assert.equal(error.message, "Token expired");
    assert.deepEqual(error.data, { renew: true });
    assert.equal(socket.active, false);
  },
  async "gets in with a new token after a refusal"(place) {
    const socket = connect(place, "expired");
    await once(socket, "connect_error");
    socket.auth = { token: "renewed" };
    socket.connect();
    await once(socket, "connect");
  },
  async "gets an answer to an event"(place) {
    const socket = await connected(place);
    assert.deepEqual(await new Promise((resolve) => socket.emit("echo", 1, "zwei", (...answer) => resolve(answer))), [1, "zwei"]);
    assert.equal(await socket.emitWithAck("echo"), undefined);
    assert.equal(await socket.timeout(2000).emitWithAck("echo", "drei"), "drei");
  },
  async "answers a question of the server"(place) {
    const socket = await connected(place);
    socket.on("question", (question, answer) => answer(`${question}? ja`));
    assert.deepEqual(await socket.emitWithAck("ask me", "fertig"), { "you said": "fertig? ja" });
  },
  async "sends and receives text of all kinds"(place) {
    const socket = await connected(place);
    for (const text of ["", "ümläut €", "日本", "\u{1f600}", "\u2028", '"\\', "\x1e", "x".repeat(100_000)]) {
      socket.emit("back", text);
      assert.deepEqual(await once(socket, "back"), [text]);
    }
  },
  async "survives half an emoji"(place) {
    const socket = await connected(place);
    assert.equal(await socket.emitWithAck("echo", "\u{1f600}".slice(0, 1)), "?");
  },
  async "sends and receives binary"(place) {
    const socket = await connected(place);
    socket.emit("back", Buffer.from([1, 2, 3]), { inside: [Buffer.from([4])], text: "t" }, Buffer.alloc(0));
    const [first, second, third] = await once(socket, "back");
    assert.deepEqual([...new Uint8Array(first)], [1, 2, 3]);
    assert.deepEqual([...new Uint8Array(second.inside[0])], [4]);
    assert.equal(second.text, "t");
    assert.equal(third.byteLength, 0);
  },
  async "gets binary answers"(place) {
    const socket = await connected(place);
    const answer = await socket.emitWithAck("echo", Buffer.alloc(50_000, 7));
    assert.equal(answer.byteLength, 50_000);
  },
  async "keeps the order of many events, text and binary mixed"(place) {
    const socket = await connected(place);
    const heard = [];
    const done = new Promise((resolve) => socket.on("back", (n) => heard.push(n) === 200 && resolve()));
    for (let n = 0; n < 200; n++) socket.emit("back", n, n % 3 ? "text" : Buffer.from([n]));
    await done;
    assert.deepEqual(heard, [...Array(200).keys()]);
  },
  async "has slow handlers run in order, while acks go through"(place) {
    const socket = await connected(place);
    const heard = [];
    const done = new Promise((resolve) => socket.on("done", (n) => heard.push(n) === 6 && resolve()));
    for (let n = 0; n < 6; n++) socket.emit("slow", n);
    await done;
    assert.deepEqual(heard, [0, 1, 2, 3, 4, 5]);
  },
  async "joins a room that is open to it, and hears it"(place) {
    const room = `open:${++people}`;
    const [anna, ben, carl] = await Promise.all([connected(place), connected(place), connected(place)]);
    assert.deepEqual(await anna.emitWithAck("room:join", { room }), { ok: true });
    assert.deepEqual(await ben.emitWithAck("room:join", { room }), { ok: true });
    const heard = { anna: [], ben: [], carl: [] };
    for (const [name, socket] of Object.entries({ anna, ben, carl })) socket.on("said", (text) => heard[name].push(text));
    await anna.emitWithAck("say", room, "to the others");
    await carl.emitWithAck("say all", room, "to all of them");
    await ben.emitWithAck("room:leave", { room });
    await carl.emitWithAck("say all", room, "to anna");
    await Promise.all([anna.emitWithAck("echo"), ben.emitWithAck("echo"), carl.emitWithAck("echo")]);
    await pause(50);
    assert.deepEqual(heard, { anna: ["to all of them", "to anna"], ben: ["to the others", "to all of them"], carl: [] });
  },
  async "is kept out of other rooms, private ones and those of other sockets"(place) {
    const [anna, ben] = await Promise.all([connected(place), connected(place)]);
    for (const room of ["closed", "user:anna", ben.id]) {
      const answer = await anna.emitWithAck("room:join", { room });
      assert.deepEqual([answer.ok, answer.error.code], [false, "forbidden"]);
    }
    assert.equal((await anna.emitWithAck("room:join", { room: 7 })).error.code, "invalid");
  },
  async "cannot leave the room of its user"(place) {
    const socket = await connected(place, "dodger");
    assert.equal((await socket.emitWithAck("room:leave", { room: "user:dodger" })).ok, false);
  },
  async "hears an error with its code, and no secret"(place) {
    const socket = await connected(place);
    assert.deepEqual(await socket.emitWithAck("refuse"), { ok: false, error: { code: "too_late", message: "The invoice has been paid" } });
    const answer = await socket.emitWithAck("fail");
    assert.equal(answer.error.code, "internal");
    assert.doesNotMatch(JSON.stringify(answer), /secret/);
  },
  async "is told that nobody handles an event"(place) {
    const socket = await connected(place);
    assert.equal((await socket.emitWithAck("unheard of")).error.code, "unknown_event");
  },
  async "uses two namespaces over one connection"(place) {
    const main = await connected(place, "multi", { forceNew: true });
    const chat = main.io.socket("/chat", { auth: { token: "multi" } });
    chat.connect(); // twice: the first was implied
    if (!chat.connected) await once(chat, "connect");
    assert.equal(await chat.emitWithAck("echo", "chat"), "chat");
    assert.notEqual(chat.id, main.id);
    chat.disconnect();
    assert.equal(await main.emitWithAck("echo", "main"), "main");
  },
  async "is refused in a namespace that does not exist"(place) {
    const [error] = await once(connect(place, "anna", { path: "/nowhere" }), "connect_error");
    assert.equal(error.message, "Invalid namespace");
  },
  async "is refused in a namespace that nobody guards"(place) {
    const [error] = await once(connect(place, "anna", { path: "/unguarded" }), "connect_error");
    assert.equal(error.message, "Authentication required");
  },
  async "stays away when the server disconnects it"(place) {
    const socket = await connected(place);
    socket.emit("kick me");
    const [reason] = await once(socket, "disconnect");
    assert.equal(reason, "io server disconnect");
    assert.equal(socket.active, false);
  },
  async "comes back by itself when its credential has expired"(place) {
    const socket = await connected(place);
    const before = socket.id;
    socket.emit("cut me off");
    const [reason] = await once(socket, "disconnect");
    assert.match(reason, /^transport (close|error)$/);
    await once(socket, "connect");
    assert.notEqual(socket.id, before);
  },
  async "tells the server why it left"(place) {
    const user = `leaver-${++people}`;
    const [leaver, witness] = await Promise.all([connected(place, user), connected(place)]);
    leaver.disconnect();
    let told = [];
    while (!told.length) told = await witness.emitWithAck("told", user);
    assert.deepEqual(told, [`${user}: client namespace disconnect`]);
  },
  async "sends what it buffered while it was away"(place) {
    const socket = connect(place, "buffer", { autoConnect: false });
    const answers = [1, 2, 3].map((n) => socket.emitWithAck("echo", n));
    socket.connect();
    assert.deepEqual(await Promise.all(answers), [1, 2, 3]);
  },
  async "is refused in its own words with a foreign Origin"(place) {
    const socket = connect(place, "anna", { extraHeaders: { Origin: "https://evil.example" }, reconnection: false });
    const [error] = await once(socket, "connect_error");
    assert.match(error.message, place.name === "websocket" ? /^Origin not allowed$/ : /xhr poll error/);
  },
};

async function run(url, transport, name, scenario) {
  const place = { url, name: transport, transports: TRANSPORTS[transport], sockets: [] };
  let problem = null;
  try {
    await Promise.race([scenario(place), pause(12_000).then(() => assert.fail("it took more than 12 s"))]);
  } catch (error) {
    problem = String(error.stack);
  }
  for (const socket of place.sockets) socket.disconnect();
  console.log(JSON.stringify({ url, transport, name, problem }));
}

for (const url of urls)
  await Promise.all(
    Object.keys(TRANSPORTS).flatMap((transport) =>
      Object.entries(SCENARIOS).map(([name, scenario]) => run(url, transport, name, scenario)),
    ),
  );
process.exit(0);
