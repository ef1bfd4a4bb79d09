// A small client of the Adology server, for browsers and for Node 22 (Node 20 with --experimental-websocket).
//
//   const adology = new Adology("http://127.0.0.1:8000");
//   await adology.logIn("ann@acme.example", "…");
//   for await (const ad of adology.pages("/v1/ads", { sort: "newest" })) console.log(ad.title);
//   const task = await adology.post("/v1/brands/nike/refresh");
//   for await (const event of adology.events()) console.log(event);

const LONGEST_PAUSE_MS = 30_000;
const TRIES = 4;
const MOST_WAITING = 1000;
const OVER = new Set(["completed", "failed", "cancelled", "expired"]);

/** The server refused. `kind` is the last part of the problem's type, such as "not-found". */
export class ProblemError extends Error {
  constructor(status, problem, retryAfter) {
    super(`${status}: ${problem.detail ?? "no detail"}`);
    this.status = status;
    this.kind = String(problem.type ?? "").split(":").pop();
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** Somebody who talks to the server: with a key, or logged in. */
export class Adology {
  #origin;
  #token;
  #refreshToken = "";
  #renewing = null;

  constructor(origin, key = "") {
    this.#origin = origin.replace(/\/+$/, "");
    this.#token = key;
  }

  /** Begin a session; its tokens are renewed by themselves. */
  async logIn(email, password) {
    this.#take(await this.#once("POST", "/v1/auth/login", { email, password }, {}, ""));
  }

  get(path, query = {}) {
    return this.ask("GET", path, undefined, query);
  }

  post(path, body, query = {}) {
    return this.ask("POST", path, body, query);
  }

  put(path, body) {
    return this.ask("PUT", path, body);
  }

  delete(path) {
    return this.ask("DELETE", path);
  }

  /** All rows of a list, page by page. */
  async *pages(path, query = {}) {
    let after;
    do {
      const page = await this.get(path, { ...query, after });
      yield* page.items;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  /** One request; a token that ran out is renewed, a pause that the server asks for is made. */
  async ask(method, path, body, query = {}) {
    for (let attempt = 1; ; attempt += 1) {
      const token = this.#token;
      try {
        return await this.#once(method, path, body, query, token);
      } catch (error) {
        if (!(error instanceof ProblemError) || attempt === TRIES) throw error;
        if (error.status === 401 && this.#refreshToken) await this.#renew(token);
        else if ([429, 503].includes(error.status) && error.retryAfter) {
          await sleep(Math.min(LONGEST_PAUSE_MS, 1000 * Number(error.retryAfter)));
        } else throw error;
      }
    }
  }

  /** The task once it is over, by asking; `events` tells it sooner. */
  async finish(requestId) {
    for (let pause = 200; ; pause = Math.min(5000, pause * 1.5)) {
      const task = await this.get(`/v1/tasks/${requestId}`);
      if (OVER.has(task.status)) return task;
      await sleep(pause);
    }
  }

  /**
   * What happens, from now on or behind an event. After a broken connection nothing is missed or told twice.
   * Events have `seq`. Beside them come { type: "hello" } when a connection stands, and { type: "gap" } where older
   * events are not kept any more: look at the lists anew. A connection that is `silent` for so many milliseconds
   * counts as broken. Leave the loop to close the socket; it ends by itself, with a ProblemError, when the session does.
   */
  async *events({ after, brandspace, silent = 60_000 } = {}) {
    for (let pause = 500; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      const ticket = await this.#ticket();
      if (ticket !== undefined) {
        const query = new URLSearchParams({ ticket, ...(after === undefined ? {} : { after }) });
        const socket = new WebSocket(`${this.#origin.replace(/^http/, "ws")}/v1/ws?${query}`);
        try {
          for await (const message of messages(socket, brandspace, silent)) {
            pause = 500;
            if (message.seq !== undefined) after = message.seq;
            else if (message.type === "hello") after ??= message.latest;
            else if (message.type === "gap") after = message.latest;
            else continue;
            yield message;
          }
        } finally {
          socket.close();
        }
      }
      await sleep(pause);
    }
  }

  /** A ticket for one socket; undefined while the server cannot be reached or has no room. */
  async #ticket() {
    try {
      return (await this.post("/v1/ws-tickets")).ticket;
    } catch (error) {
      if (error instanceof ProblemError && error.status < 500 && error.status !== 429) throw error;
      return undefined;
    }
  }

  async #once(method, path, body, query, token) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const search = given.length ? `?${new URLSearchParams(given)}` : "";
    const response = await fetch(this.#origin + path + search, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    const content = text && isJson ? JSON.parse(text) : null;
    if (response.ok) return content;
    throw new ProblemError(response.status, content ?? {}, response.headers.get("retry-after"));
  }

  /** New tokens, once for all requests that found the old one ended. */
  async #renew(used) {
    if (this.#token !== used) return;
    this.#renewing ??= this.#once("POST", "/v1/auth/refresh", { refresh_token: this.#refreshToken }, {}, "")
      .then((tokens) => this.#take(tokens))
      .finally(() => (this.#renewing = null));
    await this.#renewing;
  }

  #take(tokens) {
    this.#token = tokens.access_token;
    this.#refreshToken = tokens.refresh_token;
  }
}

/**
 * The messages of a socket until it closes, for whatever reason. Sockets cannot be told to wait: when too many messages
 * do, it is closed, and the next one takes up behind what was taken.
 */
async function* messages(socket, brandspace, silent) {
  const waiting = [];
  let wake = () => {};
  let open = true;
  let heardAt = Date.now();
  const end = () => {
    open = false;
    socket.close();
    wake();
  };
  socket.addEventListener("open", () => {
    if (brandspace !== undefined) socket.send(JSON.stringify({ type: "subscribe", brandspace }));
  });
  socket.addEventListener("message", (event) => {
    heardAt = Date.now();
    if (!open) return;
    if (waiting.length === MOST_WAITING) return end();
    waiting.push(JSON.parse(event.data));
    wake();
  });
  socket.addEventListener("close", end);
  socket.addEventListener("error", end);
  // A network that goes away says nothing: who is there answers.
  const watch = setInterval(() => {
    if (Date.now() - heardAt > silent) end();
    else if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
  }, silent / 3);
  try {
    while (open || waiting.length) {
      if (waiting.length) yield waiting.shift();
      else await new Promise((resolve) => (wake = resolve));
    }
  } finally {
    clearInterval(watch);
  }
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
