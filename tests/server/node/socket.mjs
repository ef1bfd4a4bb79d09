// One WebSocket client that tests drive line by line: what the global WebSocket of Node cannot be told to do.
// It speaks the protocol itself (RFC 6455), so that it can break it: any Origin, a client that stops reading,
// floods, messages of any size.
//
// Lines to it, JSON:   {"do":"open","url":"ws://…","origin":"…"}  {"do":"send","text":"…"}  {"do":"send","size":70000}
//                      {"do":"flood","text":"…","times":200}  {"do":"pause"}  {"do":"resume"}  {"do":"close"}
// Lines from it, JSON: {"opened":true}  {"refused":401,"problem":"…"}  {"heard":{…}}  {"closed":1008,"reason":"…"}
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { createInterface } from "node:readline";

const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
let socket;

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function open({ url, origin }) {
  const asked = request(url.replace(/^ws/, "http"), {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      ...(origin === undefined ? {} : { origin }),
    },
  });
  asked.on("response", async (response) => {
    let body = "";
    for await (const part of response) body += part;
    say({ refused: response.statusCode, problem: String(JSON.parse(body).type).split(":").pop() });
  });
  asked.on("upgrade", (response, opened, head) => {
    socket = opened;
    say({ opened: true });
    read(head);
  });
  asked.end();
}

/** Report messages until the close frame; answer pings. */
function read(head) {
  let data = head;
  let code = 1006;
  let reason = "";
  const take = () => {
    for (let frame = next(data); frame !== undefined; frame = next(data)) {
      data = data.subarray(frame.end);
      if (frame.kind === TEXT) say({ heard: JSON.parse(frame.payload) });
      if (frame.kind === PING) send(PONG, frame.payload);
      if (frame.kind === CLOSE) {
        code = frame.payload.readUInt16BE(0);
        reason = frame.payload.subarray(2).toString();
        send(CLOSE, frame.payload.subarray(0, 2));
        socket.end();
      }
    }
  };
  socket.on("data", (part) => {
    data = Buffer.concat([data, part]);
    take();
  });
  socket.on("error", () => {});
  socket.on("close", () => say({ closed: code, reason }));
  take();
}

/** The first frame of the data, if all of it is there. Servers do not mask. */
function next(data) {
  if (data.length < 2) return undefined;
  let size = data[1];
  let begin = 2;
  if (size === 126) {
    if (data.length < 4) return undefined;
    size = data.readUInt16BE(2);
    begin = 4;
  } else if (size === 127) {
    if (data.length < 10) return undefined;
    size = Number(data.readBigUInt64BE(2));
    begin = 10;
  }
  const end = begin + size;
  return data.length < end ? undefined : { kind: data[0] & 15, payload: data.subarray(begin, end), end };
}

function send(kind, payload) {
  const size = payload.length;
  const head = size < 126 ? Buffer.alloc(2) : Buffer.alloc(size < 65536 ? 4 : 10);
  head[0] = 128 | kind;
  if (head.length === 2) head[1] = 128 | size;
  else if (head.length === 4) {
    head[1] = 128 | 126;
    head.writeUInt16BE(size, 2);
  } else {
    head[1] = 128 | 127;
    head.writeBigUInt64BE(BigInt(size), 2);
  }
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let place = 0; place < size; place += 1) masked[place] ^= mask[place % 4];
  socket.write(Buffer.concat([head, mask, masked]));
}

const deeds = {
  open,
  send: ({ text, size }) => send(TEXT, Buffer.from(text ?? "x".repeat(size))),
  flood: ({ text, times }) => {
    for (let time = 0; time < times; time += 1) send(TEXT, Buffer.from(text));
  },
  pause: () => socket.pause(),
  resume: () => socket.resume(),
  close: () => send(CLOSE, Buffer.from([3, 232])),
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  deeds[asked.do](asked);
}
process.exit(0);
