// Node's own server for the fan-out: `node fanout_node.cjs PORT [deflate]`, with socket.io on NODE_PATH.
const { Server } = require("socket.io");
const http = require("http").createServer();
const deflate = process.argv[3] === "deflate" ? { threshold: 150 } : false;
const io = new Server(http, { perMessageDeflate: deflate, serveClient: false });
const text = {
  widget: "revenue",
  value: 125000,
  series: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  ts: "2025-12-06T10:30:15Z",
  note: "x".repeat(39),
};
const binary = { widget: "revenue", image: Buffer.from([...Array(100).keys()]) };

io.on("connection", (socket) => {
  socket.on("go", async (messages, aTurn, kind) => {
    for (let number = 0; number < messages; number++) {
      io.emit("dashboard:update", kind === "binary" ? binary : text);
      if (number % aTurn === aTurn - 1) await new Promise((resolve) => setImmediate(resolve));
    }
  });
  socket.on("flood", async (size, aSecond, seconds) => {
    const began = performance.now();
    const body = "x".repeat(size);
    for (let number = 1; number <= aSecond * seconds; number++) {
      io.emit("load", Number(process.hrtime.bigint()), body);
      const due = began + (1000 * number) / aSecond;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    }
  });
});
http.listen(Number(process.argv[2]), "127.0.0.1");
