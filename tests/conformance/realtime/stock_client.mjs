// Runs every scenario of `scenarios/*.mjs` against our server, over every transport, side by side.
// usage: node stock_client.mjs <path of socket.io-client> <url>...    prints one JSON line a scenario
import { readdir } from "node:fs/promises";
import { assert, pause, scenarios } from "./stock.mjs";

const PATIENCE_MS = 12_000;
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

for (const url of process.argv.slice(3))
  await Promise.all(scenarios.flatMap((chosen) => chosen.only.map((transport) => run(url, transport, chosen))));
process.exit(0);
