// Ends and returns: who says goodbye, who hears which reason, who stays away and who comes back.
import { assert, connected, hearing, once, scenario, settled, somebody, until } from "../stock.mjs";

const vanish = (socket) => socket.io.engine.close();
const LOST = /^transport (close|error)$/;

scenario("stays away when the server disconnects it", "CONTRACTS 3: DISCONNECT means stay away", async (place) => {
  const socket = await connected(place);
  socket.emit("kick me");
  assert.equal((await once(socket, "disconnect"))[0], "io server disconnect");
  assert.equal(socket.active, false);
});
scenario("is disconnected from a namespace, not from its connection", "docs: server-api socket.disconnect", async (place) => {
  const socket = await connected(place);
  socket.emit("leave us");
  assert.equal((await once(socket, "disconnect"))[0], "io server disconnect");
});
scenario("is disconnected from one namespace and stays in the other", "docs: server-api socket.disconnect", async (place) => {
  const main = await connected(place, "guest");
  const chat = main.io.socket("/chat", { auth: { token: "guest" } });
  if (!chat.connected) await once(chat, "connect");
  chat.emit("leave us");
  assert.equal((await once(chat, "disconnect"))[0], "io server disconnect");
  assert.equal(await main.emitWithAck("echo", "still here"), "still here");
});
scenario("comes again by hand after the server has disconnected it", "docs: client-socket-instance#disconnect", async (place) => {
  const socket = await connected(place);
  socket.emit("kick me");
  await once(socket, "disconnect");
  socket.connect();
  await once(socket, "connect");
  assert.equal(await socket.emitWithAck("echo", 1), 1);
});
scenario("is revoked on all its devices, and nobody else is", "CONTRACTS 3: revoked", async (place) => {
  const user = somebody("revoked");
  const [phone, desk, other] = await Promise.all([connected(place, user), connected(place, user), connected(place)]);
  const ends = Promise.all([once(phone, "disconnect"), once(desk, "disconnect")]);
  await other.emitWithAck("revoke", user);
  assert.deepEqual((await ends).map(([reason]) => reason), ["io server disconnect", "io server disconnect"]);
  await settled(other);
});
scenario("comes back by itself when its credential has expired", "CONTRACTS 3: a recoverable disconnect", async (place) => {
  const socket = await connected(place);
  const before = socket.id;
  socket.emit("cut me off");
  assert.match((await once(socket, "disconnect"))[0], LOST);
  await once(socket, "connect");
  assert.notEqual(socket.id, before);
});
scenario("stays when its credential is renewed in time", "CONTRACTS 3: auth:refresh", async (place) => {
  const socket = await connected(place);
  const ends = hearing(socket, "disconnect");
  await socket.emitWithAck("expire soon, and not at all");
  await socket.emitWithAck("think", 0.5);
  assert.deepEqual(ends, []);
});
scenario("tells the server why it left", "docs: server-socket-instance#disconnect", async (place) => {
  const user = somebody("leaver");
  const [leaver, witness] = await Promise.all([connected(place, user), connected(place)]);
  leaver.disconnect();
  await until(async () => (await witness.emitWithAck("told", user)).length);
  assert.deepEqual(await witness.emitWithAck("told", user), [`${user}: client namespace disconnect`]);
});
scenario("is heard of when its connection ends without a word", "docs: server-socket-instance#disconnect", async (place) => {
  const user = somebody("vanished");
  const [socket, witness] = await Promise.all([connected(place, user, { reconnection: false }), connected(place)]);
  vanish(socket);
  await until(async () => (await witness.emitWithAck("told", user)).length);
  assert.match((await witness.emitWithAck("told", user))[0], /: transport (close|error)$/);
});
scenario("comes back by itself when its connection ends", "docs: client-socket-instance#disconnect", async (place) => {
  const socket = await connected(place);
  const [before, attempts] = [socket.id, hearing(socket.io, "reconnect_attempt")];
  const [gone, back] = [once(socket, "disconnect"), once(socket.io, "reconnect")];
  vanish(socket);
  assert.match((await gone)[0], /^(forced close|transport close)$/);
  assert.deepEqual(await back, [1]);
  if (!socket.connected) await once(socket, "connect");
  assert.deepEqual(attempts, [1]);
  assert.notEqual(socket.id, before);
  assert.equal(await socket.emitWithAck("echo", "back"), "back");
});
scenario("comes back into all its namespaces", "docs: namespaces", async (place) => {
  const main = await connected(place, "regular");
  const chat = main.io.socket("/chat", { auth: { token: "regular" } });
  if (!chat.connected) await once(chat, "connect");
  const back = Promise.all([once(main, "connect"), once(chat, "connect")]);
  vanish(main);
  await back;
  assert.deepEqual(await Promise.all([main, chat].map((socket) => socket.emitWithAck("echo", 1))), [1, 1]);
});
scenario("sends what it buffered while it was away, once and in order", "docs: client-offline-behavior", async (place) => {
  const socket = await connected(place);
  const heard = hearing(socket, "back");
  const gone = once(socket, "disconnect");
  vanish(socket);
  await gone;
  for (let n = 0; n < 10; n++) socket.emit("back", n);
  await once(socket, "connect");
  await until(() => heard.length >= 10);
  await settled(socket);
  assert.deepEqual(heard, [...Array(10).keys()]);
});
scenario("comes and goes many times", "issue socket.io-client#1512", async (place) => {
  const socket = await connected(place);
  const ids = new Set();
  for (let n = 0; n < 5; n++) {
    socket.disconnect().connect();
    await once(socket, "connect");
    ids.add(socket.id);
  }
  assert.equal(ids.size, 5);
  await settled(socket);
});
scenario("hears the last words before it is disconnected", "docs: server-api socket.disconnect", async (place) => {
  const socket = await connected(place);
  const heard = hearing(socket, "back");
  socket.emit("back", "the last word");
  socket.emit("kick me");
  await once(socket, "disconnect");
  assert.deepEqual(heard, ["the last word"]);
});
