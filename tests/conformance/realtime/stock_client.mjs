// Runs every scenario of `scenarios/*.mjs` against our server, over every transport, side by side.
// usage: node stock_client.mjs <path of socket.io-client> <url>...    prints one JSON line a scenario
import { readdir } from "node:fs/promises";
import { assert, pause, scenarios } from "./stock.mjs";

const PATIENCE_MS = 20_000;
const AT_ONCE = 48;
const folder = new URL("./scenarios/", import.meta.url);
for (const file of (await readdir(folder)).sort()) if (file.endsWith(".mjs")) await import(new URL(file, folder));

async function run(url, transport, { name, run }) {
  const place = { url, name: transport, sockets: [] };
  let problem = null;
  try {
    await Promise.race([run(place), pause(PATIENCE_MS).then(() => assert.fail(`it took more than ${PATIENCE_MS} ms`))]);
  } catch (error) {
    problem = String(error?.stack ?? error);
  }
  for (const socket of place.sockets) socket.disconnect();
  console.log(JSON.stringify({ url, transport, name, problem }));
}

const waiting = process.argv
  .slice(3)
  .flatMap((url) => scenarios.flatMap((chosen) => chosen.only.map((transport) => [url, transport, chosen])));
const work = async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) await run(...next);
};
await Promise.all(Array.from({ length: AT_ONCE }, work));
process.exit(0);
