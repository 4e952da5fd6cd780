// The host's half of tuffet in WebAssembly: fetches, stores, and passes errors on. What is trusted is decided in the module alone.
//
//     import { Client, httpSource, memoryStore } from "./tuffet.mjs";
//     const module = await WebAssembly.compileStreaming(fetch("tuffet_wasm.wasm"));
//     const client = new Client(module, {
//       anchor: rootBytes,                                  // came with the application
//       source: httpSource("https://updates.example/metadata/", "https://updates.example/targets/"),
//       store: memoryStore(),                               // or anything with load, put and remove
//     });
//     await client.refresh();
//     const bytes = await client.download("app/1.2.0.tar.gz");

/// What was refused, with the code that the documentation explains.
export class TufError extends Error {
  constructor({ code, class: kind, message }) {
    super(message);
    this.name = "TufError";
    this.code = code;
    this.class = kind;
  }
}

/// A client of one repository. Its operations must not overlap; they wait for each other.
export class Client {
  #module;
  #options;
  #exports;
  #freshUntil = 0;
  #last = Promise.resolve();

  /// `module` is a compiled WebAssembly.Module. `options`: `anchor` (bytes of a trusted root), `source`, `store`, and optionally
  /// `now` (a function that returns seconds since 1970), `strict`, `onEvent` (is told what happened), `lock` (runs an operation while
  /// no other page or process uses the store), `onSaid` (sees every object of the module, for tests).
  constructor(module, options) {
    this.#module = module;
    this.#options = {
      now: () => Math.floor(Date.now() / 1000),
      strict: false,
      lock: (operation) => operation(),
      ...options,
    };
  }

  /// Brings the metadata up to date and verifies it; resolves to the versions that are trusted now.
  refresh() {
    return this.#inTurn(() => this.#refresh());
  }

  /// Searches a target; resolves to its role, length and hashes.
  find(path) {
    return this.#inTurn(() => this.#find(path));
  }

  /// Searches a target and resolves to its bytes, verified.
  download(path) {
    return this.#inTurn(async () => {
      const found = await this.#find(path);
      for (const urlPath of found.urlPaths) {
        const received = given(await this.#options.source.target(urlPath, found.length));
        if (received !== null) {
          // What is returned is what was verified, whatever the source does with its own bytes.
          const bytes = received.slice();
          this.#call("begin_target");
          this.#call("target", bytes);
          this.#call("end_target");
          return bytes;
        }
      }
      throw new TufError({
        code: "missing.target",
        class: "untrustworthy",
        message: `the repository does not have the target ${path}, though its metadata lists it`,
      });
    });
  }

  async #refresh() {
    // A module that has failed is not used again.
    const instance = await WebAssembly.instantiate(this.#module, {});
    this.#exports = instance.exports;
    this.#freshUntil = 0;
    const { anchor, now, strict } = this.#options;
    this.#call("begin", anchor, BigInt(now()), strict ? 1 : 0);
    const view = await this.#drive();
    this.#freshUntil = Date.parse(view.freshUntil) / 1000;
    return view;
  }

  /// Refreshes first if nothing is trusted yet, or if something of it has expired since.
  async #find(path) {
    if (!(this.#options.now() < this.#freshUntil)) {
      await this.#refresh();
    }
    this.#call("find", new TextEncoder().encode(path));
    return this.#drive();
  }

  async #drive() {
    const { source, store, onEvent } = this.#options;
    for (;;) {
      const step = this.#call("step");
      if (step.step === "done") {
        return step;
      }
      let answer;
      if (step.step === "store") {
        for (const [place, { item, put }] of step.writes.entries()) {
          await (put ? store.put(item, this.#payload(place)) : store.remove(item));
        }
        answer = ["answer_stored"];
      } else {
        const bytes = given(
          step.step === "load"
            ? await store.load(step.item, step.limit)
            : await source.metadata(step.file, step.limit),
        );
        answer = bytes === null ? ["answer_absent"] : ["answer_bytes", bytes];
      }
      const { events } = this.#call(...answer);
      events.forEach((event) => onEvent?.(event));
    }
  }

  #payload(place) {
    this.#exports.payload(place);
    return this.#output().slice();
  }

  /// Calls a function of the module, with bytes for its input if there are any; what it says is an object.
  #call(name, bytes, ...rest) {
    if (bytes !== undefined) {
      const place = this.#exports.input(bytes.length);
      new Uint8Array(this.#exports.memory.buffer, place, bytes.length).set(bytes);
    }
    this.#exports[name](...rest);
    const text = new TextDecoder().decode(this.#output());
    this.#options.onSaid?.(text);
    const said = JSON.parse(text);
    if (said.error !== undefined) {
      throw new TufError(said.error);
    }
    return said;
  }

  #output() {
    const { memory, output, output_length: length } = this.#exports;
    return new Uint8Array(memory.buffer, output(), length());
  }

  #inTurn(operation) {
    const turn = this.#last.then(() => this.#options.lock(operation));
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/// Reads a repository over HTTP. 404 and 410 mean that a file is absent, every other failure ends the operation (rule A-17). A file
/// has a minute, and more if it may be long: ten kilobytes in a second are the least.
/// `metadata` and `targets` are the addresses that file names are appended to.
export function httpSource(metadata, targets, options = {}) {
  const receive = async (address, limit) => {
    const signal = AbortSignal.timeout(60_000 + Math.ceil(limit / 10));
    const request = { cache: "no-store", redirect: "follow", signal, ...options };
    const response = await fetch(address, request);
    if (address.startsWith("https:") && !response.url.startsWith("https:")) {
      await response.body?.cancel();
      throw new Error(`${address}: redirected to ${response.url}, which is not encrypted`);
    }
    if (response.status === 404 || response.status === 410) {
      await response.body?.cancel();
      return null;
    }
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`${address}: ${response.status} ${response.statusText}`);
    }
    return upTo(response.body, limit);
  };
  return {
    metadata: (file, limit) => receive(withSlash(metadata) + file, limit),
    target: (urlPath, length) => receive(withSlash(targets) + urlPath, length),
  };
}

/// A store that lasts as long as the page or the process: without one that lasts longer, a rollback to what an earlier page has seen
/// cannot be noticed.
export function memoryStore() {
  const items = new Map();
  return {
    items,
    load: async (item) => items.get(item) ?? null,
    put: async (item, bytes) => void items.set(item, bytes),
    remove: async (item) => void items.delete(item),
  };
}

/// Bytes, or null for what is absent; anything else is a mistake of the store or the source.
function given(bytes) {
  if (bytes === null || bytes === undefined) {
    return null;
  }
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("stores and sources give a Uint8Array, or null");
  }
  return bytes;
}

/// At most one byte more than the limit: the module refuses that one.
async function upTo(body, limit) {
  const parts = [];
  let length = 0;
  const reader = body.getReader();
  while (length <= limit) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    parts.push(value);
    length += value.length;
  }
  await reader.cancel();
  const bytes = new Uint8Array(length);
  let place = 0;
  for (const part of parts) {
    bytes.set(part, place);
    place += part.length;
  }
  return bytes.subarray(0, Math.min(length, limit + 1));
}

function withSlash(address) {
  return address.endsWith("/") ? address : `${address}/`;
}
