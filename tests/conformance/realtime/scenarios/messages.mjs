// Events and acknowledgements, both ways: what may be in them, in which order they come, what is refused.
import { assert, bytes, connected, hearing, once, pause, scenario, settled, somebody, until } from "../stock.mjs";

/** After an upgrade nothing is left that could make a difference to a message. */
const DIRECT = { only: ["websocket", "polling"] };
const answers = (socket, ...args) => new Promise((resolve) => socket.emit(...args, (...said) => resolve(said)));

scenario("gets an answer to an event", "docs: emitting-events#acknowledgements", async (place) => {
  const socket = await connected(place);
  assert.deepEqual(await answers(socket, "echo", 1, "zwei"), [1, "zwei"]);
  assert.equal(await socket.emitWithAck("echo"), undefined);
  assert.equal(await socket.timeout(2000).emitWithAck("echo", "drei"), "drei");
}, DIRECT);
scenario("gets each answer to its own question", "docs: emitting-events#acknowledgements", async (place) => {
  const socket = await connected(place);
  const numbers = [...Array(100).keys()];
  assert.deepEqual(await Promise.all(numbers.map((n) => socket.emitWithAck("echo", n))), numbers);
}, DIRECT);
scenario("gives up on an answer that takes too long", "docs: emitting-events#with-timeout", async (place) => {
  const socket = await connected(place);
  await assert.rejects(socket.timeout(30).emitWithAck("think", 1.5), /operation has timed out/);
  assert.equal(await socket.emitWithAck("echo", "goes on"), "goes on");
}, DIRECT);
scenario("repeats what was not acknowledged in time", "docs: client-options#retries", async (place) => {
  const socket = await connected(place, somebody(), { retries: 5, ackTimeout: 1_000 });
  assert.deepEqual(await answers(socket, "echo", "once"), [null, "once"]);
}, DIRECT);
scenario("answers a question of the server", "docs: emitting-events#acknowledgements", async (place) => {
  const socket = await connected(place);
  socket.on("question", (question, answer) => answer(`${question}? ja`));
  assert.deepEqual(await socket.emitWithAck("ask me", "fertig"), { "you said": "fertig? ja" });
}, DIRECT);
scenario("answers a question of the server with binary", "docs: emitting-events#acknowledgements", async (place) => {
  const socket = await connected(place);
  socket.on("question", (question, answer) => answer(Buffer.concat([Buffer.from(question), Buffer.from([9])])));
  assert.deepEqual(bytes((await socket.emitWithAck("ask me", Buffer.from([7, 8])))["you said"]), [7, 8, 9]);
}, DIRECT);
scenario("does not answer, and the server does not wait for ever", "docs: emitting-events#with-timeout", async (place) => {
  const socket = await connected(place);
  const questions = hearing(socket, "question");
  assert.equal(await socket.emitWithAck("ask me briefly"), "not answered in time");
  assert.equal(questions.length, 1);
}, DIRECT);
scenario("leaves with a question open, and the server knows at once", "T30", async (place) => {
  const user = somebody("silent");
  const [socket, witness] = await Promise.all([connected(place, user), connected(place)]);
  socket.emit("ask me and tell");
  await once(socket, "question");
  socket.disconnect();
  await until(async () => (await witness.emitWithAck("told", user)).includes(`${user}: asked until client namespace disconnect`));
}, DIRECT);
scenario("sends and receives text of all kinds", "protocol: Sending and receiving data", async (place) => {
  const socket = await connected(place);
  for (const text of ["", "ümläut €", "日本", "\u{1f600}", "\u2028", '"\\', "\x1e", "b4AAA", "x".repeat(100_000)]) {
    socket.emit("back", text);
    assert.deepEqual(await once(socket, "back"), [text]);
  }
}, DIRECT);
scenario("survives half an emoji", "issue socket.io#4451", async (place) => {
  const socket = await connected(place);
  assert.equal(await socket.emitWithAck("echo", "\u{1f600}".slice(0, 1)), "?");
}, DIRECT);
scenario("sends and receives numbers of all kinds", "RFC 8259, 6", async (place) => {
  const socket = await connected(place);
  const numbers = [0, -1, 1.5, 1e300, 5e-324, 2 ** 53, -(2 ** 53) + 1, 0.1];
  assert.deepEqual(await answers(socket, "echo", ...numbers), numbers);
}, DIRECT);
scenario("sends null for what JSON does not know", "docs: emitting-events", async (place) => {
  const socket = await connected(place);
  assert.deepEqual(await answers(socket, "echo", null, undefined, NaN), [null, null, null]);
  assert.deepEqual(await answers(socket, "echo", { gone: undefined, kept: null }), [{ kept: null }]);
}, DIRECT);
scenario("sends dates as text, maps and sets as nothing", "docs: emitting-events#basic-emit", async (place) => {
  const socket = await connected(place);
  const day = new Date(Date.UTC(2026, 1, 3));
  assert.deepEqual(await answers(socket, "echo", day, new Map([[1, 2]]), new Set([1])), ["2026-02-03T00:00:00.000Z", {}, {}]);
}, DIRECT);
scenario("sends names that mean something to a language", "CVE-2022-2421 and its kin", async (place) => {
  const socket = await connected(place);
  const data = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":2,"__class__":3,"hasOwnProperty":4}');
  assert.deepEqual(await socket.emitWithAck("echo", data), data);
  assert.equal({}.polluted, undefined);
}, DIRECT);
scenario("sends what only looks like a placeholder", "protocol: Sending and receiving data", async (place) => {
  const socket = await connected(place);
  const data = { _placeholder: true, num: 0 };
  assert.deepEqual(await socket.emitWithAck("echo", data), data);
}, DIRECT);
scenario("sends deep data", "RFC 8259, 9", async (place) => {
  const socket = await connected(place);
  let deep = "the bottom";
  for (let n = 0; n < 200; n++) deep = n % 2 ? [deep] : { deep };
  assert.deepEqual(await socket.emitWithAck("echo", deep), deep);
}, DIRECT);
scenario("sends data that are too deep for anybody, and comes back", "any invalid packet ends the connection", async (place) => {
  const socket = await connected(place);
  let deep = [];
  for (let n = 0; n < 3_000; n++) deep = [deep];
  socket.emit("echo", deep);
  assert.match((await once(socket, "disconnect"))[0], /^transport (close|error)$/);
  await once(socket, "connect");
}, DIRECT);
scenario("sends and receives binary", "docs: emitting-events#binary", async (place) => {
  const socket = await connected(place);
  socket.emit("back", Buffer.from([1, 2, 3]), { inside: [Buffer.from([4])], text: "t" }, Buffer.alloc(0));
  const [first, second, third] = await once(socket, "back");
  assert.deepEqual(bytes(first), [1, 2, 3]);
  assert.deepEqual(bytes(second.inside[0]), [4]);
  assert.equal(second.text, "t");
  assert.equal(third.byteLength, 0);
}, DIRECT);
scenario("sends typed arrays, views and buffers as their bytes", "docs: emitting-events", async (place) => {
  const socket = await connected(place);
  const whole = new Uint8Array([1, 2, 3, 4, 5]);
  const said = await answers(socket, "echo", whole.buffer, whole.subarray(1, 3), new Uint16Array([258]), Buffer.from("ü"));
  assert.deepEqual(said.map(bytes), [[1, 2, 3, 4, 5], [2, 3], [2, 1], [0xc3, 0xbc]]);
}, DIRECT);
scenario("gets binary answers", "docs: emitting-events#acknowledgements", async (place) => {
  const socket = await connected(place);
  assert.equal((await socket.emitWithAck("echo", Buffer.alloc(50_000, 7))).byteLength, 50_000);
}, DIRECT);
scenario("sends ten attachments", "CVE-2026-33151: the stock limit", async (place) => {
  const socket = await connected(place);
  const ten = [...Array(10).keys()].map((n) => Buffer.from([n]));
  assert.deepEqual((await answers(socket, "echo", ...ten)).map(bytes), ten.map(bytes));
}, DIRECT);
scenario("sends eleven attachments, and comes back", "CVE-2026-33151", async (place) => {
  const socket = await connected(place);
  socket.emit("echo", ...Array(11).fill(Buffer.from([1])));
  assert.match((await once(socket, "disconnect"))[0], /^transport (close|error)$/);
  await once(socket, "connect");
}, DIRECT);
scenario("sends as much as it may", "docs: server-options#maxhttpbuffersize", async (place) => {
  const socket = await connected(place);
  assert.equal((await socket.emitWithAck("echo", "x".repeat(990_000))).length, 990_000);
}, DIRECT);
scenario("sends more than it may, and comes back", "docs: server-options#maxhttpbuffersize; issue socket.io#3946", async (place) => {
  const socket = await connected(place);
  const before = socket.id;
  socket.emit("echo", "x".repeat(1_000_001));
  assert.match((await once(socket, "disconnect"))[0], /^transport (close|error)$/);
  await once(socket, "connect");
  assert.notEqual(socket.id, before);
}, DIRECT);
scenario("sends many packets that are too much for one request", "protocol: maxPayload", async (place) => {
  const socket = await connected(place);
  const lengths = await Promise.all([..."abcde"].map((letter, n) => socket.emitWithAck("length", letter.repeat(300_000 + n))));
  assert.deepEqual(lengths, [300_000, 300_001, 300_002, 300_003, 300_004]);
}, DIRECT);
scenario("keeps the order of many events, text and binary mixed", "docs: delivery-guarantees#message-ordering", async (place) => {
  const socket = await connected(place);
  const heard = [];
  const done = new Promise((resolve) => socket.on("back", (n) => heard.push(n) === 200 && resolve()));
  for (let n = 0; n < 200; n++) socket.emit("back", n, n % 3 ? "text" : Buffer.from([n]));
  await done;
  assert.deepEqual(heard, [...Array(200).keys()]);
}, DIRECT);
scenario("hears many events of the server in order, text and binary mixed", "docs: delivery-guarantees#message-ordering", async (place) => {
  const socket = await connected(place);
  const heard = hearing(socket, "one of many");
  socket.emit("many", 150);
  await until(() => heard.length === 150);
  assert.deepEqual(heard.map(([n]) => n), [...Array(150).keys()]);
  assert.ok(heard.every(([n, data]) => (n % 3 ? data === "text" : data.byteLength === 6)));
}, DIRECT);
scenario("has slow handlers run in order, while acks go through", "issue 2: handlers of one client run in order", async (place) => {
  const socket = await connected(place);
  const heard = [];
  const done = new Promise((resolve) => socket.on("done", (n) => heard.push(n) === 6 && resolve()));
  for (let n = 0; n < 6; n++) socket.emit("slow", n);
  await done;
  assert.deepEqual(heard, [0, 1, 2, 3, 4, 5]);
}, DIRECT);
scenario("is not kept waiting by another's slow handler", "a slow handler stops no other client", async (place) => {
  const [slow, quick] = await Promise.all([connected(place), connected(place)]);
  let done = false;
  const thought = slow.emitWithAck("think", 2).then(() => (done = true));
  await settled(quick);
  assert.equal(done, false);
  await thought;
}, DIRECT);
scenario("is heard by catch-all listeners, both ways", "docs: listening-to-events#catch-all-listeners", async (place) => {
  const socket = await connected(place);
  const [sent, heard] = [[], []];
  socket.onAnyOutgoing((...args) => sent.push(args));
  socket.onAny((...args) => heard.push(args));
  socket.emit("back as", "ünï codé", 1);
  await once(socket, "ünï codé");
  assert.deepEqual(sent, [["back as", "ünï codé", 1]]);
  assert.deepEqual(heard.filter(([name]) => name === "ünï codé"), [["ünï codé", 1]]);
}, DIRECT);
scenario("hears events with unusual names", "docs: emitting-events", async (place) => {
  const socket = await connected(place);
  for (const name of ["", " ", "error", "ping", "__proto__x", "42", "/,[]", "a\nb", "open", "close"]) {
    socket.emit("back as", name, "said");
    assert.deepEqual(await once(socket, name), ["said"]);
  }
}, DIRECT);
scenario("sends a message without a name", "docs: client-api socket.send", async (place) => {
  const socket = await connected(place);
  socket.send("hello", 1);
  assert.deepEqual(await once(socket, "message"), ["hello", 1]);
}, DIRECT);
scenario("keeps to the reserved names", "docs: emit-cheatsheet#reserved-events", async (place) => {
  const socket = await connected(place);
  for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
    assert.throws(() => socket.emit(name), /reserved event name/);
    socket.emit("back as", name);
  }
  await settled(socket);
}, DIRECT);
scenario("drops what is volatile while it is away", "docs: emitting-events#volatile-events", async (place) => {
  const socket = await connected(place);
  const heard = hearing(socket, "back");
  socket.disconnect();
  socket.volatile.emit("back", "dropped");
  socket.emit("back", "kept");
  socket.connect();
  await once(socket, "connect");
  await until(() => heard.length);
  await settled(socket);
  assert.deepEqual(heard, ["kept"]);
}, DIRECT);
scenario("hears what is volatile when it is ready", "docs: emitting-events#volatile-events", async (place) => {
  const socket = await connected(place);
  const heard = hearing(socket, "maybe");
  await until(async () => {
    socket.emit("maybe", "heard");
    await pause(5);
    return heard.length;
  });
  assert.ok(heard.every((said) => said === "heard"));
}, DIRECT);
scenario("asks for no compression", "docs: client-api socket.compress", async (place) => {
  const socket = await connected(place);
  assert.equal(await socket.compress(false).emitWithAck("echo", "plain"), "plain");
}, DIRECT);
scenario("hears an error with its code, and no secret", "CONTRACTS 3: error in the ack", async (place) => {
  const socket = await connected(place);
  assert.deepEqual(await socket.emitWithAck("refuse"), { ok: false, error: { code: "too_late", message: "The invoice has been paid" } });
  const answer = await socket.emitWithAck("fail");
  assert.equal(answer.error.code, "internal");
  assert.doesNotMatch(JSON.stringify(answer), /secret/);
}, DIRECT);
scenario("is told that nobody handles an event", "CONTRACTS 3: error in the ack", async (place) => {
  const socket = await connected(place);
  assert.equal((await socket.emitWithAck("unheard of")).error.code, "unknown_event");
  assert.equal((await socket.emitWithAck("toString")).error.code, "unknown_event");
}, DIRECT);
scenario("says what does not fit a handler, and goes on", "a handler's mistake ends no connection", async (place) => {
  const socket = await connected(place);
  assert.equal((await socket.emitWithAck("slow", "not", "what", "it", "takes")).error.code, "internal");
  assert.equal(await socket.emitWithAck("echo", "goes on"), "goes on");
}, DIRECT);
