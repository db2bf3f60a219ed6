// Socket.IO's Admin UI: what its App.vue and its store do with a connection, without the screen.
import { assert, connect, connected, once, scenario, somebody, until } from "../stock.mjs";

const PASSWORD = { username: "operator", password: "right" };

/** The UI's own state, kept by its rules; `heard` counts the events. */
function ui(place, auth = PASSWORD) {
  const socket = connect(place, undefined, { path: "/admin", auth, reconnection: false });
  const state = { sockets: new Map(), servers: new Map(), features: null, session: null, complete: false, gone: [] };
  const put = (seen) => state.sockets.set(seen.id, { ...seen, rooms: new Set(seen.rooms) });
  socket.on("config", ({ supportedFeatures }) => (state.features = supportedFeatures));
  socket.on("session", (id) => (state.session = id));
  socket.on("server_stats", (stats) => state.servers.set(stats.serverId, stats));
  socket.on("all_sockets", (all) => {
    state.sockets.clear();
    all.forEach(put);
    state.complete = true;
  });
  socket.on("socket_connected", (seen, timestamp) => {
    assert.ok(!Number.isNaN(Date.parse(timestamp)));
    put(seen);
  });
  socket.on("socket_updated", ({ id, ...news }) => Object.assign(state.sockets.get(id) ?? {}, news));
  socket.on("room_joined", (_nsp, room, id) => state.sockets.get(id)?.rooms.add(room));
  socket.on("room_left", (_nsp, room, id) => state.sockets.get(id)?.rooms.delete(room));
  socket.on("socket_disconnected", (nsp, id, reason) => {
    state.sockets.delete(id);
    state.gone.push([nsp, id, reason]);
  });
  return [socket, state];
}

scenario("signs in to the Admin UI with a password and comes back with a session", "socket.io-admin-ui: App.vue, store/main.js", async (place) => {
  const [socket, state] = ui(place);
  await until(() => state.features && state.session && state.complete);
  assert.deepEqual(state.features, ["AGGREGATED_EVENTS", "ALL_EVENTS"]);
  socket.disconnect();
  const [, again] = ui(place, { sessionId: state.session });
  await until(() => again.complete);
});
scenario("is told by the Admin UI's namespace that its credentials are wrong", "socket.io-admin-ui: App.vue, store/main.js", async (place) => {
  for (const auth of [{ username: "operator", password: "guessed" }, { sessionId: "guessed" }, {}]) {
    const [socket] = ui(place, auth);
    const [error] = await once(socket, "connect_error");
    assert.equal(error.message, "invalid credentials");
  }
});
scenario("shows in the Admin UI who comes, moves, upgrades and goes", "socket.io-admin-ui: App.vue, store/main.js", async (place) => {
  const [, state] = ui(place);
  await until(() => state.complete);
  const [user, room] = [somebody(), `open:${somebody()}`];
  const anna = await connected(place, user);
  const seen = () => state.sockets.get(anna.id);
  await until(() => seen()?.transport === (place.name === "polling" ? "polling" : "websocket"));
  assert.equal(seen().nsp, "/");
  assert.equal(seen().handshake.address, "127.0.0.1");
  assert.deepEqual(seen().data, { user });
  assert.ok(seen().rooms.has(`user:${user}`));
  await anna.emitWithAck("room:join", { room });
  await until(() => seen().rooms.has(room));
  await anna.emitWithAck("room:leave", { room });
  await until(() => !seen().rooms.has(room));
  const { id } = anna;
  anna.disconnect();
  await until(() => state.gone.some(([, gone]) => gone === id));
  assert.ok(state.gone.some(([nsp, gone, reason]) => nsp === "/" && gone === id && reason.startsWith("client")));
});
scenario("shows in the Admin UI how the server is", "socket.io-admin-ui: App.vue, store/main.js", async (place) => {
  const [, state] = ui(place);
  await until(() => [...state.servers.values()].some((stats) => stats.aggregatedEvents.length));
  const [stats] = state.servers.values();
  for (const number of ["uptime", "clientsCount", "pollingClientsCount", "pid"]) assert.equal(typeof stats[number], "number");
  assert.ok(stats.namespaces.find(({ name }) => name === "/admin").socketsCount > 0);
  for (const { timestamp, type, count } of stats.aggregatedEvents) assert.ok(timestamp > 1e12 && type && count > 0);
}, { only: ["websocket"] });
scenario("may change nothing through the Admin UI unless that is allowed", "ours: read-only by default", async (place) => {
  const [socket, state] = ui(place);
  await until(() => state.complete);
  const anna = await connected(place);
  socket.emit("_disconnect", "/", true, anna.id);
  const answer = await socket.emitWithAck("join", "/", "open:everywhere", anna.id);
  assert.equal(answer.error.code, "unknown_event");
  assert.ok(anna.connected);
});
