// The server's API: namespaces by rule, acknowledgements of many, middlewares of events, listeners, remote sockets.
import { assert, bytes, connect, connected, hearing, once, scenario, settled, somebody, until } from "../stock.mjs";

const inNamespace = async (place, path, token = somebody()) => {
  const socket = connect(place, token, { path });
  await once(socket, "connect");
  return socket;
};

scenario("calls a namespace into being by a pattern", "docs: namespaces#dynamic-namespaces", async (place) => {
  const name = somebody("/document");
  const socket = connect(place, "guest", { path: name });
  assert.deepEqual(await once(socket, "welcome"), [name]);
  assert.equal(await socket.emitWithAck("where"), name);
});
scenario("is refused where no pattern fits", "docs: namespaces#dynamic-namespaces", async (place) => {
  const [error] = await once(connect(place, "guest", { path: "/document" }), "connect_error");
  assert.equal(error.message, "Invalid namespace");
});
scenario("is asked by the middleware of the parent", "docs: server-api server.of(nsp)", async (place) => {
  const [error] = await once(connect(place, "stranger", { path: somebody("/document") }), "connect_error");
  assert.deepEqual([error.message, error.data], ["Not yours", { owner: "anna" }]);
});
scenario("hears in every child what the parent says", "docs: server-api server.of(nsp)", async (place) => {
  const [one, two, main] = [await inNamespace(place, somebody("/document")), await inNamespace(place, somebody("/document")), await connected(place)];
  const news = somebody("news");
  const heard = [hearing(one, "news"), hearing(two, "news")];
  await main.emitWithAck("api:documents", news);
  await until(() => heard.every((list) => list.includes(news)));
});
scenario("finds a child that has ended made anew", "docs: server-options#cleanupemptychildnamespaces", async (place) => {
  const [name, main] = [somebody("/document"), await connected(place)];
  for (const times of [1, 2]) {
    const socket = await inNamespace(place, name);
    assert.equal(await socket.emitWithAck("alone"), 1);
    assert.equal(await main.emitWithAck("api:made", name), times);
    socket.disconnect();
    await until(async () => !(await main.emitWithAck("api:exists", name)));
  }
});
scenario("enters a namespace that a function allows it, and no other", "docs: namespaces#dynamic-namespaces", async (place) => {
  const user = somebody("clerk");
  const socket = await inNamespace(place, `/office-of-${user}`, user);
  assert.equal(await socket.emitWithAck("echo", "mine"), "mine");
  const [error] = await once(connect(place, somebody(), { path: `/office-of-${user}` }), "connect_error");
  assert.equal(error.message, "Invalid namespace");
});
scenario("is one of many who answer", "docs: broadcasting-events#with-acknowledgements", async (place) => {
  const room = somebody("room");
  const people = await Promise.all([1, 2, 3].map(() => connected(place)));
  people.forEach((socket, n) => socket.on("question", (text, answer) => answer(`${text} ${n}`)));
  await Promise.all(people.map((socket) => socket.emitWithAck("api:join", room)));
  const { answers } = await people[0].emitWithAck("api:ask room", room, 5, "here");
  assert.deepEqual(answers.sort(), ["here 0", "here 1", "here 2"]);
  assert.deepEqual((await people[0].emitWithAck("api:ask others", room)).sort(), ["others 1", "others 2"]);
});
scenario("answers a question to many with bytes", "docs: broadcasting-events#with-acknowledgements", async (place) => {
  const [room, socket] = [somebody("room"), await connected(place)];
  socket.on("question", (data, answer) => answer(Buffer.from(bytes(data).reverse())));
  await socket.emitWithAck("api:join", room);
  const { answers } = await socket.emitWithAck("api:ask room", room, 5, Buffer.from([1, 2, 3]));
  assert.deepEqual(bytes(answers[0]), [3, 2, 1]);
});
scenario("is named as missing when it does not answer in time", "docs: server-api server.timeout", async (place) => {
  const room = somebody("room");
  const [quick, mute] = await Promise.all([connected(place), connected(place)]);
  quick.on("question", (answer) => answer("quick"));
  mute.on("question", () => {});
  await Promise.all([quick, mute].map((socket) => socket.emitWithAck("api:join", room)));
  assert.deepEqual(await quick.emitWithAck("api:ask room", room, 4), { error: "AckTimeoutError", answers: ["quick"], missing: [mute.id] });
});
scenario("is not waited for when it leaves without an answer", "issue: socket.io#4965", async (place) => {
  const room = somebody("room");
  const [quick, leaver] = await Promise.all([connected(place), connected(place)]);
  quick.on("question", (answer) => answer("quick"));
  leaver.on("question", () => leaver.disconnect());
  const gone = leaver.id;
  await Promise.all([quick, leaver].map((socket) => socket.emitWithAck("api:join", room)));
  assert.deepEqual(await quick.emitWithAck("api:ask room", room, 3600), { error: "DisconnectedError", answers: ["quick"], missing: [gone] });
});
scenario("is asked in a room where nobody is", "docs: broadcasting-events#with-acknowledgements", async (place) => {
  const socket = await connected(place);
  assert.deepEqual(await socket.emitWithAck("api:ask room", somebody("empty"), 3600), { answers: [] });
});
scenario("has a time limit of its own for an answer", "docs: server-api socket.timeout", async (place) => {
  const socket = await connected(place);
  socket.once("question", (text, answer) => answer(text));
  assert.equal(await socket.emitWithAck("api:ask me", 5), "answered you");
  socket.once("question", () => {});
  assert.equal(await socket.emitWithAck("api:ask me", 0.3), "AckTimeoutError");
});
scenario("is kept from a handler by a middleware of its events", "docs: server-api socket.use", async (place) => {
  const socket = await connected(place);
  await socket.emitWithAck("api:intercept");
  assert.deepEqual(await socket.emitWithAck("api:forbidden"), { ok: false, error: { code: "forbidden", message: "You may not" } });
  socket.emit("echo", 1);
  assert.deepEqual(await new Promise((resolve) => socket.emit("echo", 1, (...answers) => resolve(answers))), [1, "seen by a middleware"]);
});
scenario("is watched in both directions", "docs: listening-to-events#catch-all-listeners", async (place) => {
  const [socket, key] = [await connected(place), somebody("key")];
  await socket.emitWithAck("api:watch", key);
  socket.emit("api:say to me", 1, { two: [2] }, Buffer.from([3]));
  await once(socket, "api:said");
  const seen = (await socket.emitWithAck("api:seen", key)).filter(([, event]) => event.startsWith("api:sa"));
  assert.deepEqual(seen.map((entry) => [...entry.slice(0, 4), bytes(entry[4])]), [
    ["in", "api:say to me", 1, { two: [2] }, [3]],
    ["out", "api:said", 1, { two: [2] }, [3]],
  ]);
});
scenario("is heard once by a handler for once", "docs: listening-to-events#socketonceeventname-listener", async (place) => {
  const socket = await connected(place);
  await socket.emitWithAck("api:once");
  assert.equal(await socket.emitWithAck("api:only once"), "once");
  assert.equal((await socket.emitWithAck("api:only once")).error.code, "unknown_event");
});
scenario("is caught whatever it says, where it has no handler", "python-socketio docs: catch-all event handlers", async (place) => {
  const socket = await connected(place);
  await socket.emitWithAck("api:catch all");
  assert.deepEqual(await socket.emitWithAck("api:whatever", 1), { caught: "api:whatever", args: [1] });
  assert.equal(await socket.emitWithAck("echo", 1), 1);
});
scenario("says goodbye to its rooms while it is still in them", "docs: server-api event disconnecting", async (place) => {
  const room = somebody("room");
  const [leaver, witness] = await Promise.all([connected(place), connected(place)]);
  await witness.emitWithAck("api:join", room);
  await leaver.emitWithAck("api:say goodbye", room);
  const goodbye = once(witness, "api:goodbye");
  leaver.disconnect();
  const [reason, rooms] = await goodbye;
  assert.equal(reason, "client namespace disconnect");
  assert.ok(rooms >= 2);
});
scenario("is left out of what is said except to it", "docs: server-api socket.except", async (place) => {
  const [room, without] = [somebody("room"), somebody("without")];
  const [speaker, ben, carl] = await Promise.all([connected(place), connected(place), connected(place)]);
  await Promise.all([speaker, ben, carl].map((socket) => socket.emitWithAck("api:join", room)));
  await carl.emitWithAck("api:join", without);
  const heard = [speaker, ben, carl].map((socket) => hearing(socket, "api:said"));
  await speaker.emitWithAck("api:except", room, without);
  await settled(speaker, ben, carl);
  await until(() => heard[1].length === 2);
  assert.deepEqual(heard, [[], ["to some", "again"], []]);
});
scenario("is fetched, moved and sent away by its room", "docs: server-instance#utility-methods", async (place) => {
  const [room, other, user] = [somebody("room"), somebody("other"), somebody("fetched")];
  const [socket, admin] = await Promise.all([connected(place, user), connected(place)]);
  await socket.emitWithAck("api:join", room);
  assert.deepEqual(await admin.emitWithAck("api:who", room), [{ id: socket.id, user, in: true }]);
  await admin.emitWithAck("api:move", room, other);
  assert.deepEqual(await admin.emitWithAck("api:who", room), []);
  assert.deepEqual(await admin.emitWithAck("api:who", other), [{ id: socket.id, user, in: true }]);
  const end = once(socket, "disconnect");
  admin.emit("api:send away", other);
  assert.equal((await end)[0], "io server disconnect");
});
scenario("shows how it came", "docs: server-api socket.handshake", async (place) => {
  const before = Date.now();
  const socket = await connected(place, "shown", { query: { tenant: "acme & co" } });
  const shown = await socket.emitWithAck("api:handshake");
  assert.equal(shown.query.tenant, "acme & co");
  assert.match(shown.url, /^\/socket\.io\/\?.*tenant=acme/);
  assert.ok(shown.issued >= before - 1000 && shown.issued <= Date.now() + 1000);
  assert.equal(new Date(shown.time).getTime(), shown.issued);
  assert.deepEqual([shown.auth, shown.xdomain, shown.secure], [{ token: "shown" }, false, false]);
});
scenario("is told apart by what carries it", "docs: server-api socket.conn", async (place) => {
  const socket = await connected(place);
  assert.equal(await socket.emitWithAck("api:transport"), place.name === "polling" ? "polling" : "websocket");
});
scenario("is noticed when it upgrades", "docs: server-api socket.conn", async (place) => {
  const socket = connect(place, somebody());
  socket.emit("api:upgrade");
  assert.deepEqual(await once(socket, "api:upgraded"), ["websocket"]);
  assert.equal(await socket.emitWithAck("api:transport"), "websocket");
}, { only: ["upgrade"] });
scenario("waits for a handler in a thread, and nobody else does", "our promise: a slow handler stops nobody", async (place) => {
  const [slow, other] = await Promise.all([connected(place), connected(place)]);
  const [heard, key] = [hearing(slow, "api:from a thread"), somebody("gate")];
  const done = slow.emitWithAck("api:block", key);
  const next = slow.emitWithAck("echo", "next");
  await once(slow, "api:blocks");
  await settled(other);
  assert.deepEqual(heard, []);
  await other.emitWithAck("api:release", key);
  assert.deepEqual(await Promise.all([done, next]), ["done", "next"]);
  assert.deepEqual(heard, [key]);
});
