// Events with a schema: what fits arrives as it is, what does not is refused in the acknowledgement.
import { assert, bytes, connected, hearing, once, scenario, settled } from "../stock.mjs";

scenario("says a typed event and gets its typed answer", "docs/howto/typed-events.md", async (place) => {
  const socket = await connected(place);
  const heard = hearing(socket, "typed heard");
  assert.deepEqual(await socket.timeout(5_000).emitWithAck("typed say", { text: "Grüße" }), { ok: true, text: "Grüße" });
  assert.deepEqual(heard, [{ text: "Grüße" }]);
});
scenario("is told which field of a typed event is wrong", "CONTRACTS 3: validated in; code invalid", async (place) => {
  const socket = await connected(place);
  const wrong = [[{ text: 5 }], [{ text: "" }], [{ text: "x".repeat(21) }], [{}], ["x"], [null], [[{ text: "x" }]], [{ text: Buffer.from("x") }]];
  for (const sent of wrong) {
    const { ok, error } = await socket.emitWithAck("typed say", ...sent);
    assert.equal(ok, false);
    assert.equal(error.code, "invalid");
    assert.ok(error.message.length > 0 && error.fields.length > 0);
    if (sent[0]?.constructor === Object) assert.equal(error.fields[0].field, "text");
  }
  assert.equal(await socket.emitWithAck("echo", "still here"), "still here");
});
scenario("sends a typed event with too many or too few values", "CONTRACTS 3: validated in; code invalid", async (place) => {
  const socket = await connected(place);
  for (const sent of [[], [{ text: "x" }, { text: "y" }], [{ text: "x" }, undefined]]) {
    assert.equal((await socket.emitWithAck("typed say", ...sent)).error.code, "invalid");
  }
  assert.equal(await socket.emitWithAck("typed stop"), true);
  assert.equal((await socket.emitWithAck("typed stop", 1)).error.code, "invalid");
});
scenario("hears nothing of a wrong typed event that wants no answer", "CONTRACTS 3: validated in", async (place) => {
  const socket = await connected(place);
  const heard = hearing(socket, "typed heard");
  socket.emit("typed say", { text: 5 });
  await settled(socket);
  assert.deepEqual(heard, []);
});
scenario("never hears an emission that breaks its schema", "CONTRACTS 3: checked out", async (place) => {
  const socket = await connected(place);
  const heard = hearing(socket, "typed heard");
  const refused = await socket.emitWithAck("typed emission", 5);
  assert.equal(refused.split(" / ").length, 2);
  assert.match(refused, /emission of "typed heard" breaks its schema: text: string is asked for/);
  assert.deepEqual(heard, []);
  assert.equal(await socket.emitWithAck("typed emission", "x"), "");
  assert.deepEqual(heard, [{ text: "x" }, { text: "x" }]);
});
scenario("sends and gets bytes in a typed event", "docs: emitting-events; binary", async (place) => {
  const socket = await connected(place);
  const heard = once(socket, "typed picture");
  const answer = await socket.emitWithAck("typed picture", { name: "a", data: Buffer.from([1, 2, 255]) });
  assert.equal(answer.name, "A");
  assert.deepEqual(bytes(answer.data), [255, 2, 1]);
  assert.deepEqual(bytes((await heard)[0].data), [1, 2, 255]);
  assert.equal((await socket.emitWithAck("typed picture", { name: "a", data: "no bytes" })).error.fields[0].field, "data");
});
scenario("answers a typed question of the server", "docs: emitting-events#acknowledgements", async (place) => {
  const socket = await connected(place);
  let answer = 7;
  socket.on("typed question", (question, acknowledge) => acknowledge(question === "how many" ? answer : null));
  assert.equal(await socket.emitWithAck("typed ask me"), 7);
  answer = "seven";
  assert.match(await socket.emitWithAck("typed ask me"), /"typed question" breaks its schema: integer is asked for/);
});
