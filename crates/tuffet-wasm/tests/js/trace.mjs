// One case of the collection, as everything that the module says: the same lines that the native test writes.
import { Client, httpSource, memoryStore } from "../../js/tuffet.mjs";

/// `origin` is the address of the test server.
export async function traceAll(origin, log) {
  const bytes = async (path) => new Uint8Array(await (await fetch(origin + path)).arrayBuffer());
  const module = await WebAssembly.compile(await bytes("tuffet_wasm.wasm"));
  const cases = await (await fetch(`${origin}cases.json`)).json();
  for (const one of cases) {
    log(`${one.name} from ${one.root}${one.strict ? ", strictly" : ""}`);
    await traceOne(module, one, origin, await bytes(`data/${one.name}/${one.root}`), log);
  }
}

async function traceOne(module, one, origin, anchor, log) {
  const base = `${origin}data/${one.name}/`;
  const honest = httpSource(base + one.metadata, base + one.targets);
  let damaged = false;
  const source = {
    metadata: honest.metadata,
    target: async (path, length) => {
      const bytes = await honest.target(path, length);
      if (damaged && bytes !== null && bytes.length > 0) {
        bytes[0] ^= 1;
      }
      return bytes;
    },
  };
  const store = memoryStore();
  const client = new Client(module, {
    anchor,
    source,
    store,
    strict: one.strict,
    now: () => one.now,
    onSaid: log,
  });
  const ends = async (operation) => {
    try {
      await operation();
      return true;
    } catch (error) {
      if (error.name !== "TufError") {
        throw error;
      }
      log(`ends with ${error.code}`);
      return false;
    }
  };
  if (await ends(() => client.refresh())) {
    for (const path of one.paths) {
      for (damaged of [false, true]) {
        log(`download ${path}${damaged ? ", damaged" : ""}`);
        await ends(() => client.download(path));
      }
    }
    log("refresh again");
    await ends(() => client.refresh());
  }
  for (const item of [...store.items.keys()].sort()) {
    log(`${item}: ${store.items.get(item).length}`);
  }
}
