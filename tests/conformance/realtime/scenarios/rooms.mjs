// Who hears it: rooms, unions, exceptions, everybody else, and rooms where polling and WebSocket clients meet.
import { assert, bytes, connected, hearing, once, scenario, settled, somebody, until } from "../stock.mjs";

/** `people` who hear what is said in the rooms they have joined. */
async function inRooms(place, ...rooms) {
  const sockets = await Promise.all(rooms.map(() => connected(place)));
  for (const [n, socket] of sockets.entries())
    for (const room of [rooms[n]].flat()) assert.deepEqual(await socket.emitWithAck("room:join", { room }), { ok: true });
  return [sockets, sockets.map((socket) => hearing(socket, "said"))];
}

scenario("joins a room that is open to it, and hears it", "docs: rooms", async (place) => {
  const room = `open:${somebody()}`;
  const [[anna, ben, carl], heard] = await inRooms(place, room, room, []);
  await anna.emitWithAck("say", room, "to the others");
  await carl.emitWithAck("say all", room, "to all of them");
  await ben.emitWithAck("room:leave", { room });
  await carl.emitWithAck("say all", room, "to anna");
  await settled(anna, ben, carl);
  assert.deepEqual(heard, [["to all of them", "to anna"], ["to the others", "to all of them"], []]);
});
scenario("is kept out of other rooms, private ones and those of other sockets", "engineio 4.15: another's room", async (place) => {
  const [anna, ben] = await Promise.all([connected(place), connected(place)]);
  for (const room of ["closed", "user:anna", ben.id]) {
    const answer = await anna.emitWithAck("room:join", { room });
    assert.deepEqual([answer.ok, answer.error.code], [false, "forbidden"]);
  }
  assert.equal((await anna.emitWithAck("room:join", { room: 7 })).error.code, "invalid");
});
scenario("cannot leave the room of its user", "CONTRACTS 3", async (place) => {
  const socket = await connected(place, "dodger");
  assert.equal((await socket.emitWithAck("room:leave", { room: "user:dodger" })).ok, false);
});
scenario("is in the room of its user from the start", "CONTRACTS 3", async (place) => {
  const user = somebody();
  const [phone, desk, other] = await Promise.all([connected(place, user), connected(place, user), connected(place)]);
  const heard = [phone, desk, other].map((socket) => hearing(socket, "said"));
  await other.emitWithAck("say all", `user:${user}`, "for you");
  await settled(phone, desk, other);
  assert.deepEqual(heard, [["for you"], ["for you"], []]);
});
scenario("is spoken to alone by its id", "docs: rooms#default-room", async (place) => {
  const [anna, ben, carl] = await Promise.all([connected(place), connected(place), connected(place)]);
  const heard = [anna, ben, carl].map((socket) => hearing(socket, "said"));
  await anna.emitWithAck("say", ben.id, "privately");
  await settled(anna, ben, carl);
  assert.deepEqual(heard, [[], ["privately"], []]);
});
scenario("does not hear what it says to everybody else", "docs: broadcasting-events", async (place) => {
  const [anna, ben] = await Promise.all([connected(place), connected(place)]);
  const heard = [anna, ben].map((socket) => hearing(socket, "said to everybody else"));
  await anna.emitWithAck("say to everybody else", anna.id);
  await settled(anna, ben);
  assert.deepEqual(heard.map((said) => said.filter((id) => id === anna.id).length), [0, 1]);
});
scenario("hears once what is said in two of its rooms", "docs: rooms#joining-and-leaving (union)", async (place) => {
  const [left, right] = [`open:${somebody()}`, `open:${somebody()}`];
  const [[anna, ben, carl], heard] = await inRooms(place, [left, right], right, []);
  await carl.emitWithAck("say in both", left, right, "once");
  await settled(anna, ben, carl);
  assert.deepEqual(heard, [["once"], ["once"], []]);
});
scenario("does not hear what excepts a room of its own", "docs: server-api server.except", async (place) => {
  const [all, quiet] = [`open:${somebody()}`, `open:${somebody()}`];
  const [[anna, ben], heard] = await inRooms(place, all, [all, quiet]);
  await anna.emitWithAck("say except", all, quiet, "not to the quiet");
  await anna.emitWithAck("say except", all, ben.id, "not to ben");
  await anna.emitWithAck("say except", all, "open:nobody", "to all");
  await settled(anna, ben);
  assert.deepEqual(heard, [["not to the quiet", "not to ben", "to all"], ["to all"]]);
});
scenario("hears a room in the same order as everybody in it", "docs: delivery-guarantees#message-ordering", async (place) => {
  const room = `open:${somebody()}`;
  const [[anna, ben], heard] = await inRooms(place, room, room);
  for (let n = 0; n < 40; n++) [anna, ben][n % 2].emit("say all", room, n, n % 5 ? "" : Buffer.from([n]));
  await until(() => heard.every((said) => said.length === 40));
  assert.deepEqual(heard[0].map(([n]) => n), heard[1].map(([n]) => n));
});
scenario("hears text and binary in a room of polling and WebSocket clients", "python-socketio: binary to mixed rooms", async (place) => {
  const room = `open:${somebody()}`;
  const sockets = await Promise.all(["polling", "websocket", "upgrade"].map((over) => connected(place, somebody(), { over })));
  for (const socket of sockets) await socket.emitWithAck("room:join", { room });
  const heard = sockets.map((socket) => hearing(socket, "said"));
  for (const speaker of sockets) {
    await speaker.emitWithAck("say all", room, "text", { "ä": [null] });
    await speaker.emitWithAck("say all", room, Buffer.from([0, 255]), [Buffer.alloc(0)]);
  }
  await until(() => heard.every((said) => said.length === 6));
  for (const said of heard)
    for (const n of [0, 2, 4]) {
      assert.deepEqual(said[n], ["text", { "ä": [null] }]);
      assert.deepEqual([bytes(said[n + 1][0]), said[n + 1][1][0].byteLength], [[0, 255], 0]);
    }
}, { only: ["upgrade"] });
scenario("hears what is volatile in its room, or does not", "docs: emitting-events#volatile-events", async (place) => {
  const room = `open:${somebody()}`;
  const [[anna, ben], heard] = await inRooms(place, room, room);
  for (let n = 0; n < 50; n++) anna.emit("whisper", room, n);
  await settled(anna, ben);
  for (const said of heard) assert.deepEqual(said, [...said].sort((a, b) => a - b));
  await anna.emitWithAck("say all", room, "what is not volatile");
  await settled(anna, ben);
  assert.deepEqual(heard.map((said) => said.at(-1)), ["what is not volatile", "what is not volatile"]);
});
scenario("is put into a room and taken out of it by the server", "docs: server-api server.socketsJoin", async (place) => {
  const user = somebody();
  const [socket, other] = await Promise.all([connected(place, user), connected(place)]);
  await other.emitWithAck("gather", `user:${user}`, `hall:${user}`);
  assert.deepEqual(await socket.emitWithAck("rooms"), [`hall:${user}`, `user:${user}`]);
  await other.emitWithAck("scatter", `user:${user}`, `hall:${user}`);
  assert.deepEqual(await socket.emitWithAck("rooms"), [`user:${user}`]);
});
scenario("is counted while it is there", "docs: server-api server.fetchSockets", async (place) => {
  const user = somebody();
  const [phone, desk, other] = await Promise.all([connected(place, user), connected(place, user), connected(place)]);
  assert.equal(await other.emitWithAck("count", `user:${user}`), 2);
  phone.disconnect();
  await until(async () => (await other.emitWithAck("count", `user:${user}`)) === 1);
  desk.disconnect();
  await until(async () => (await other.emitWithAck("count", `user:${user}`)) === 0);
});
scenario("joins twice and leaves once", "docs: rooms", async (place) => {
  const room = `open:${somebody()}`;
  const [[anna, ben], heard] = await inRooms(place, [room, room], []);
  await ben.emitWithAck("say all", room, "once");
  await anna.emitWithAck("room:leave", { room });
  await ben.emitWithAck("say all", room, "not any more");
  await settled(anna, ben);
  assert.deepEqual(heard[0], ["once"]);
});
scenario("is in none of its rooms after it came back", "CONTRACTS 3", async (place) => {
  const room = `open:${somebody()}`;
  const [[anna, ben], heard] = await inRooms(place, room, []);
  anna.disconnect().connect();
  await once(anna, "connect");
  await ben.emitWithAck("say all", room, "to nobody");
  await settled(anna, ben);
  assert.deepEqual(heard[0], []);
});
