// Updates from a TUF repository with tuf-js.
//
// usage: node js_client.js METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR [TARGET...]
//
// What the client trusts is kept in OUT_DIR/metadata, what it downloaded in
// OUT_DIR/targets; a second run with the same OUT_DIR is a second update of the
// same client. Prints what it trusts and got as JSON, like python_client.py.
//
// Exits with 1 when the update or a download is refused, and with 2 when called
// wrongly. The package tuf-js is found through NODE_PATH.

'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { Updater } = require('tuf-js');

function clientName() {
  // The package does not export its manifest, so it is read from its folder.
  const manifest = path.join(path.dirname(require.resolve('tuf-js')), '..', 'package.json');
  return `tuf-js ${JSON.parse(fs.readFileSync(manifest, 'utf8')).version}`;
}

/** The version of every role that the client stored, by role name. */
function trustedVersions(directory) {
  const versions = {};
  for (const file of fs.readdirSync(directory).sort()) {
    if (!file.endsWith('.json')) continue;
    const metadata = JSON.parse(fs.readFileSync(path.join(directory, file), 'utf8'));
    versions[decodeURIComponent(file.slice(0, -'.json'.length))] = metadata.signed.version;
  }
  return versions;
}

async function update(metadataUrl, targetsUrl, rootFile, out, names) {
  const metadataDir = path.join(out, 'metadata');
  const targetDir = path.join(out, 'targets');
  fs.mkdirSync(metadataDir, { recursive: true });
  fs.mkdirSync(targetDir, { recursive: true });
  const trusted = path.join(metadataDir, 'root.json');
  if (!fs.existsSync(trusted)) fs.copyFileSync(rootFile, trusted);

  const updater = new Updater({
    metadataDir,
    metadataBaseUrl: metadataUrl,
    targetDir,
    targetBaseUrl: targetsUrl,
  });
  await updater.refresh();

  const targets = {};
  for (const name of names) {
    const info = await updater.getTargetInfo(name);
    if (info === undefined) throw new Error(`no trusted role lists the target ${name}`);
    const destination = path.join(targetDir, name);
    fs.mkdirSync(path.dirname(destination), { recursive: true });
    await updater.downloadTarget(info, destination);
    const data = fs.readFileSync(destination);
    targets[name] = {
      length: data.length,
      sha256: crypto.createHash('sha256').update(data).digest('hex'),
    };
  }
  return { client: clientName(), versions: trustedVersions(metadataDir), targets };
}

const [metadataUrl, targetsUrl, rootFile, out, ...names] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node js_client.js METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR [TARGET...]');
  process.exitCode = 2;
} else {
  update(metadataUrl, targetsUrl, rootFile, out, names).then(
    (report) => console.log(JSON.stringify(report, null, 1)),
    (error) => {
      console.error(`${error.constructor.name}: ${error.message}`);
      process.exitCode = 1;
    }
  );
}
