// What stores and sources may do wrong, and what time does. The server at the given address has the collection.
import assert from "node:assert/strict";
import { Client, httpSource, memoryStore } from "../../js/tuffet.mjs";

const origin = process.argv[2];
const bytes = async (path) => new Uint8Array(await (await fetch(origin + path)).arrayBuffer());
const module = await WebAssembly.compile(await bytes("tuffet_wasm.wasm"));
const cases = await (await fetch(`${origin}cases.json`)).json();
const one = cases.find(({ name, strict }) => name.startsWith("sigstore-prod") && !strict);
assert.ok(one.paths.length > 1);
const anchor = await bytes(`data/${one.name}/${one.root}`);
const base = `${origin}data/${one.name}/`;
const honest = () => httpSource(base + one.metadata, base + one.targets);
const client = (options) =>
  new Client(module, { anchor, source: honest(), store: memoryStore(), now: () => one.now, ...options });

// A store that says `undefined` is an empty one, and not a damaged one.
const items = new Map();
const events = [];
const map = {
  load: async (item) => items.get(item),
  put: async (item, put) => items.set(item, put),
  remove: async (item) => items.delete(item),
};
await client({ store: map, onEvent: (event) => events.push(event) }).refresh();
assert.ok(items.has("root.json"));
assert.ok(!events.some((event) => event.includes("ignored")), events.join("\n"));

// What is no Uint8Array has no length that could be checked.
const buffers = {
  metadata: honest().metadata,
  target: async (path, length) => (await honest().target(path, length)).buffer,
};
await assert.rejects(client({ source: buffers }).download(one.paths[0]), TypeError);

// What is returned is what was verified, whatever becomes of the bytes of the source.
let kept;
const shared = {
  metadata: honest().metadata,
  target: async (path, length) => (kept = await honest().target(path, length)),
};
const downloaded = await client({ source: shared }).download(one.paths[0]);
const before = downloaded[0];
kept[0] ^= 1;
assert.equal(downloaded[0], before);

// A page that is open for long does not go on with what has expired.
let now = one.now;
const patient = client({ now: () => now });
await patient.download(one.paths[0]);
now += 100 * 365 * 24 * 3600;
await assert.rejects(patient.download(one.paths[0]), (error) => error.code.startsWith("expired."));

// Operations are handed to the lock, one after the other.
let inside = 0;
const lock = async (operation) => {
  assert.equal(++inside, 1);
  try {
    return await operation();
  } finally {
    inside--;
  }
};
const locked = client({ lock });
await Promise.all([locked.refresh(), locked.find(one.paths[0]), locked.download(one.paths[0])]);
