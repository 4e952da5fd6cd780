// tuf-js behind the command line of the TUF conformance suite.
//
// node js_client.js --metadata-dir DIR init ROOT
// node js_client.js --metadata-dir DIR --metadata-url URL refresh
// node js_client.js --metadata-dir DIR --metadata-url URL --target-name NAME...
//                   --target-base-url URL --target-dir DIR download
//
// Exits with 1 when something is refused, and with 2 when called wrongly. The
// package tuf-js is found through NODE_PATH.

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { Updater } = require('tuf-js');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'metadata-dir': { type: 'string' },
    'metadata-url': { type: 'string' },
    'target-name': { type: 'string', multiple: true, default: [] },
    'target-base-url': { type: 'string' },
    'target-dir': { type: 'string' },
  },
});

function updater() {
  return new Updater({
    metadataDir: values['metadata-dir'],
    metadataBaseUrl: values['metadata-url'],
    targetDir: values['target-dir'],
    targetBaseUrl: values['target-base-url'],
  });
}

const commands = {
  async init(root) {
    fs.mkdirSync(values['metadata-dir'], { recursive: true });
    fs.copyFileSync(root, path.join(values['metadata-dir'], 'root.json'));
  },

  async refresh() {
    await updater().refresh();
  },

  async download() {
    const client = updater();
    await client.refresh();
    fs.mkdirSync(values['target-dir'], { recursive: true });
    for (const name of values['target-name']) {
      const info = await client.getTargetInfo(name);
      if (info === undefined) throw new Error(`no trusted role lists the target ${name}`);
      const place = path.join(values['target-dir'], encodeURIComponent(name));
      if ((await client.findCachedTarget(info, place)) === undefined) {
        await client.downloadTarget(info, place);
      }
    }
  },
};

const [command, root] = positionals;
if (values['metadata-dir'] === undefined || !Object.hasOwn(commands, command ?? '')) {
  console.error('say --metadata-dir DIR, and init ROOT, refresh or download');
  process.exitCode = 2;
} else {
  commands[command](root).catch((error) => {
    console.error(`${error.constructor.name}: ${error.message}`);
    process.exitCode = 1;
  });
}
