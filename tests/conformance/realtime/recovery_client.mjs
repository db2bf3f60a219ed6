// The stock JavaScript client, many of it, in both namespaces of `recovery_server.py`: prints what each one hears.
// usage: node recovery_client.mjs <path of socket.io-client>    commands on stdin, one JSON line each; lines on stdout
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { io } = await import(pathToFileURL(process.argv[2]));
const tell = (...line) => process.stdout.write(JSON.stringify(line) + "\n");
const managers = new Map();

function listen(name, namespace, socket, shown) {
  socket.on("connect", () => {
    const recovered = shown ? socket._pid === shown : Boolean(socket.recovered);
    shown = undefined;
    tell(name, namespace, "connect", socket.id, recovered);
  });
  socket.on("disconnect", (reason) => tell(name, namespace, "disconnect", reason));
  socket.on("n", (line, number, order) => tell(name, namespace, "n", line, number, order));
  socket.on("connect_error", (error) => tell(name, namespace, "error", error.message));
}
const COMMANDS = {
  connect({ name, url, transports }) {
    const options = { auth: { name }, transports, forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 40, timeout: 4000 };
    const main = io(url, options);
    const quiet = main.io.socket("/quiet", { auth: { name } });
    managers.set(name, { main, quiet });
    listen(name, "/", main);
    listen(name, "/quiet", quiet);
  },
  // A second client that shows the pid of the first, which is still there.
  copy({ name, of, url }) {
    const { main } = managers.get(of);
    const auth = { name: of, pid: main._pid, offset: main._lastOffset };
    const copy = io(url, { auth, transports: ["websocket"], forceNew: true, reconnection: false });
    managers.set(name, { main: copy });
    tell(name, "/", "copied", of);
    listen(name, "/", copy, auth.pid);
  },
  leave({ name }) {
    managers.get(name)?.main.io.engine.close();
    for (const socket of Object.values(managers.get(name) ?? {})) socket.disconnect();
    tell(name, "/", "left");
  },
};
createInterface({ input: process.stdin }).on("line", (line) => {
  const { does, ...rest } = JSON.parse(line);
  COMMANDS[does](rest);
}).on("close", () => process.exit(0));
