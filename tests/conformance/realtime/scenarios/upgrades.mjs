// From polling to WebSocket while things are being said.
import { assert, bytes, connect, connected, hearing, once, pause, scenario, settled, somebody, until, upgraded } from "../stock.mjs";

const UPGRADE = { only: ["upgrade"] };

scenario("loses and doubles nothing that it says while it upgrades", "docs: how-it-works#upgrade-mechanism", async (place) => {
  const socket = connect(place);
  const heard = hearing(socket, "back");
  await once(socket, "connect");
  let done = false;
  const change = upgraded(socket).then(() => (done = true));
  let said = 0;
  while ((!done && said < 400) || said < 50) {
    socket.emit("back", said, said++ % 4 ? "text" : Buffer.from([1]));
    if (said % 5 === 0) await pause(1);
  }
  done || (await Promise.race([change, pause(5_000)]));
  await until(() => heard.length >= said);
  await settled(socket);
  assert.deepEqual(heard.map(([n]) => n), [...Array(said).keys()]);
}, UPGRADE);
scenario("loses and doubles nothing that is said to it while it upgrades", "docs: how-it-works#upgrade-mechanism", async (place) => {
  const speaker = await connected(place, somebody(), { over: "websocket" });
  const listener = connect(place);
  const heard = hearing(listener, "said");
  await once(listener, "connect");
  let done = false;
  upgraded(listener).then(() => (done = true));
  let said = 0;
  while ((!done && said < 400) || said < 50) await speaker.emitWithAck("say", listener.id, said++, Buffer.from([1, 2]));
  await settled(listener);
  assert.deepEqual(heard.map(([n]) => n), [...Array(said).keys()]);
  assert.ok(heard.every(([, data]) => bytes(data).length === 2));
}, UPGRADE);
scenario("keeps its ids when it upgrades", "docs: client-api socket.id", async (place) => {
  const socket = connect(place);
  await once(socket, "connect");
  const before = [socket.id, socket.io.engine.id];
  await upgraded(socket);
  assert.deepEqual([socket.id, socket.io.engine.id], before);
  await settled(socket);
}, UPGRADE);
scenario("stays with polling if it is told to", "docs: client-options#upgrade", async (place) => {
  const socket = await connected(place, somebody(), { upgrade: false });
  await settled(socket);
  assert.equal(socket.io.engine.transport.name, "polling");
}, UPGRADE);
scenario("is told of the upgrade only where there is one", "protocol: upgrades", async (place) => {
  const socket = await connected(place);
  assert.equal(socket.io.engine.transport.name, place.name === "polling" ? "polling" : "websocket");
});
scenario("leaves in the middle of its upgrade", "issue socket.io#4122", async (place) => {
  const user = somebody("hasty");
  const witness = await connected(place);
  const socket = connect(place, user);
  await once(socket, "connect");
  socket.disconnect();
  await until(async () => (await witness.emitWithAck("told", user)).length);
  socket.connect();
  await once(socket, "connect");
  await settled(socket);
}, UPGRADE);
scenario("goes on with polling when its WebSocket is refused", "docs: how-it-works#upgrade-mechanism", async (place) => {
  const socket = connect(place, somebody(), { transportOptions: { websocket: { path: "/nowhere/" } } });
  const problems = hearing(socket.io.engine ?? socket.io, "upgradeError");
  await once(socket, "connect");
  await settled(socket);
  assert.equal(socket.io.engine.transport.name, "polling");
  assert.ok(problems.length <= 1);
}, UPGRADE);
