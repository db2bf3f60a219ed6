// Socket.IO's own server before the load client: node --expose-gc sockets_peer.js PORT SECRET [recovery]
// Does what sockets_server.py does. Its packages are found through NODE_PATH.
"use strict";

const { Server } = require("socket.io");
const jwt = require("jsonwebtoken");

const [port, secret, recovery] = process.argv.slice(2);
const LOOK_EVERY_MS = 5;
let worstMs = 0;
let lookedMs = performance.now();
let worstCpuMs = 0;
let lookedCpu = process.cpuUsage();
let emptiedNs = 0n;
let connections = 0;
let number = 0;

function cpuMs({ user, system }) {
  return (user + system) / 1000;
}

const http = require("http").createServer((request, response) => {
  response.setHeader("content-type", "application/json");
  response.statusCode = request.url in asked ? 200 : 404;
  response.end(JSON.stringify(request.url in asked ? asked[request.url]() : null));
});
const io = new Server(http, {
  perMessageDeflate: false,
  serveClient: false,
  ...(recovery === "recovery" ? { connectionStateRecovery: { skipMiddlewares: false } } : {}),
});

setInterval(() => {
  const nowMs = performance.now();
  worstMs = Math.max(worstMs, nowMs - lookedMs - LOOK_EVERY_MS);
  lookedMs = nowMs;
  worstCpuMs = Math.max(worstCpuMs, cpuMs(process.cpuUsage(lookedCpu)));
  lookedCpu = process.cpuUsage();
  if (connections) emptiedNs = 0n;
  else if (!emptiedNs) emptiedNs = process.hrtime.bigint();
}, LOOK_EVERY_MS);

const asked = {
  "/begin": () => {
    worstMs = worstCpuMs = 0;
    return { connections };
  },
  // process.hrtime reads CLOCK_MONOTONIC, as the benchmark's own clock does.
  "/figures": () => ({
    connections,
    emptiedAtS: Number(emptiedNs) / 1e9,
    worstStallMs: worstMs,
    worstTurnCpuMs: worstCpuMs,
  }),
  "/collect": () => {
    const before = process.cpuUsage();
    global.gc();
    return { cpuMs: cpuMs(process.cpuUsage(before)) };
  },
};

io.use((socket, next) => {
  jwt.verify(socket.handshake.auth.token ?? "", secret, { algorithms: ["HS256"] }, (error, claims) => {
    if (error) return next(new Error("Authentication required"));
    socket.data.user = claims.sub;
    socket.join(["everybody", `user:${number++}`]);
    next();
  });
});

io.on("connection", (socket) => {
  connections += 1;
  socket.on("disconnect", () => {
    connections -= 1;
  });
  socket.on("say", (message, acknowledge) => acknowledge({ ok: true }));
  socket.on("ask", async (message, acknowledge) => acknowledge({ ok: true }));
  socket.emit("hello", { id: socket.id });
});

http.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
