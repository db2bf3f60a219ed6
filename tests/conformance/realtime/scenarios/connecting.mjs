// From the first packet to an answer: handshakes, middlewares, namespaces, refusals.
import { assert, connect, connected, once, pause, scenario, somebody } from "../stock.mjs";

scenario("connects with auth and is welcomed", "CONTRACTS 3", async (place) => {
  const socket = connect(place, "anna");
  const [welcome] = await once(socket, "welcome");
  assert.deepEqual(welcome, { user: "anna", address: "127.0.0.1" });
});
scenario("has an id that is neither its session's nor another's", "docs: client-api socket.id", async (place) => {
  const [socket, other] = await Promise.all([connected(place), connected(place)]);
  assert.match(socket.id, /^[\w-]{20}$/);
  assert.notEqual(socket.id, socket.io.engine.id);
  assert.notEqual(socket.id, other.id);
});
scenario("is refused without a token", "CONTRACTS 3", async (place) => {
  const [error] = await once(connect(place, "", { auth: {} }), "connect_error");
  assert.equal(error.message, "Authentication required");
  assert.equal(error.data, undefined);
});
scenario("hears the data of a refusal", "docs: middlewares#handling-middleware-error", async (place) => {
  const socket = connect(place, "expired");
  const [error] = await once(socket, "connect_error");
  assert.equal(error.message, "Token expired");
  assert.deepEqual(error.data, { renew: true });
});
scenario("stays out by itself after a refusal", "docs: client-socket-instance#connect_error", async (place) => {
  const socket = connect(place, "expired");
  await once(socket, "connect_error");
  assert.equal(socket.active, false);
  assert.equal(socket.connected, false);
});
scenario("gets in with a new token after a refusal", "docs: client-socket-instance#connect_error", async (place) => {
  const socket = connect(place, "expired");
  await once(socket, "connect_error");
  socket.auth = { token: "renewed" };
  socket.connect();
  await once(socket, "connect");
});
scenario("asks its auth function at every connection", "docs: client-options#auth", async (place) => {
  let asked = 0;
  const socket = connect(place, "", { auth: (answer) => answer({ token: `asked-${++asked}` }) });
  assert.equal((await once(socket, "welcome"))[0].user, "asked-1");
  socket.disconnect().connect();
  assert.equal((await once(socket, "welcome"))[0].user, "asked-2");
});
scenario("shows its query parameters", "docs: client-options#query", async (place) => {
  const socket = await connected(place, somebody(), { query: { mark: "ü & =", n: 7 } });
  const { query } = await socket.emitWithAck("handshake");
  assert.deepEqual([query.mark, query.n, query.EIO], ["ü & =", "7", "4"]);
});
scenario("shows its extra headers", "docs: client-options#extraheaders", async (place) => {
  const socket = await connected(place, somebody(), { extraHeaders: { "X-Mark": "from the client" } });
  assert.equal((await socket.emitWithAck("handshake")).mark, "from the client");
});
scenario("has come without TLS, just now", "docs: server-socket-instance#sockethandshake", async (place) => {
  const socket = await connected(place);
  const shown = await socket.emitWithAck("handshake");
  assert.equal(shown.secure, false);
  assert.ok(Math.abs(Date.now() - Date.parse(shown.time)) < 60_000);
});
scenario("gets in behind a middleware that takes its time", "docs: middlewares#registering-a-middleware", async (place) => {
  const socket = connect(place, somebody(), { path: "/slow" });
  assert.equal(await socket.emitWithAck("echo", "sent before it was in"), "sent before it was in");
});
scenario("is asked by middlewares in their order, up to the first refusal", "docs: middlewares", async (place) => {
  const [error] = await once(connect(place, somebody(), { path: "/strict" }), "connect_error");
  assert.equal(error.message, "first then second");
});
scenario("hears nothing of what made a middleware stumble", "issue socket.io#3371; no secret leaves", async (place) => {
  const [error] = await once(connect(place, somebody(), { path: "/broken" }), "connect_error");
  assert.equal(error.message, "Internal error");
  assert.equal(error.data, undefined);
});
scenario("leaves while the middlewares think, and may come again", "issue socket.io#4129", async (place) => {
  const socket = connect(place, somebody(), { path: "/slow" });
  await once(socket.io, "open");
  await pause(10);
  socket.disconnect();
  socket.connect();
  assert.equal(await socket.emitWithAck("echo", 1), 1);
});
scenario("uses two namespaces over one connection", "docs: namespaces", async (place) => {
  const main = await connected(place, "multi");
  const chat = main.io.socket("/chat", { auth: { token: "multi" } });
  chat.connect(); // twice: the first was implied
  if (!chat.connected) await once(chat, "connect");
  assert.equal(await chat.emitWithAck("echo", "chat"), "chat");
  assert.notEqual(chat.id, main.id);
  chat.disconnect();
  assert.equal(await main.emitWithAck("echo", "main"), "main");
});
scenario("leaves a namespace and enters it again over the same connection", "docs: namespaces", async (place) => {
  const main = await connected(place, "again");
  const chat = main.io.socket("/chat", { auth: { token: "again" } });
  if (!chat.connected) await once(chat, "connect");
  const [session, before] = [main.io.engine.id, chat.id];
  chat.disconnect();
  chat.connect();
  await once(chat, "connect");
  assert.equal(await chat.emitWithAck("echo", "back"), "back");
  assert.equal(main.io.engine.id, session);
  assert.notEqual(chat.id, before);
});
scenario("is refused in one namespace and stays in another", "docs: namespaces#middleware", async (place) => {
  const main = await connected(place);
  const chat = main.io.socket("/chat", { auth: {} });
  const [error] = await once(chat, "connect_error");
  assert.equal(error.message, "Authentication required");
  assert.equal(await main.emitWithAck("echo", "still here"), "still here");
});
scenario("shares a connection unless it asks for its own", "docs: client-api io(url, options), forceNew", async (place) => {
  const main = await connected(place, "shared", { forceNew: false });
  const chat = connect(place, "shared", { path: "/chat", forceNew: false });
  await once(chat, "connect");
  assert.equal(chat.io, main.io);
  const own = await connected(place, "shared");
  assert.notEqual(own.io, main.io);
}, { only: ["websocket"] });
scenario("is refused in a namespace that does not exist", "protocol: Connection to a namespace", async (place) => {
  const [error] = await once(connect(place, "anna", { path: "/nowhere" }), "connect_error");
  assert.equal(error.message, "Invalid namespace");
});
scenario("is refused in a namespace that nobody guards", "CONTRACTS 3: nobody unless asked", async (place) => {
  const [error] = await once(connect(place, "anna", { path: "/unguarded" }), "connect_error");
  assert.equal(error.message, "Authentication required");
});
scenario("is refused in its own words with a foreign Origin", "CONTRACTS 3", async (place) => {
  const socket = connect(place, "anna", { extraHeaders: { Origin: "https://evil.example" }, reconnection: false });
  const [error] = await once(socket, "connect_error");
  assert.match(error.message, place.name === "websocket" ? /^Origin not allowed$/ : /xhr poll error/);
});
scenario("sends what it buffered before it was connected", "docs: client-offline-behavior", async (place) => {
  const socket = connect(place, "buffer", { autoConnect: false });
  const answers = [1, 2, 3].map((n) => socket.emitWithAck("echo", n));
  socket.connect();
  assert.deepEqual(await Promise.all(answers), [1, 2, 3]);
});
