// The peer of the fan-out: what a team would write with `ws`. No database, no rights, nothing is kept.
//
//   node broadcaster.mjs FOLDER      FOLDER/node_modules has ws; says {"address":"http://127.0.0.1:PORT"} when it listens
//
// POST /notify with a worker's notice sends the event to every client, encoded once.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.argv[2]), "package.json"));
const { WebSocketServer } = require("ws");

let seq = 0;
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const notice = JSON.parse(Buffer.concat(parts));
    seq += 1;
    const event = { ...notice, kind: "export", brand: "nike", event: "task", seq, at: new Date().toISOString() };
    const message = Buffer.from(JSON.stringify(event));
    for (const client of sockets.clients) {
      if (client.readyState === 1) client.send(message, { binary: false });
    }
    response.writeHead(204).end();
  });
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: true });
sockets.on("connection", (client) => client.send(JSON.stringify({ type: "hello", latest: seq })));
server.listen({ host: "127.0.0.1", port: 0, backlog: 2048 }, () => {
  console.log(JSON.stringify({ address: `http://127.0.0.1:${server.address().port}` }));
});
process.on("SIGTERM", () => process.exit(0));
