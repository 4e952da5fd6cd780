#!/usr/bin/env python3
"""Builds a repository of many targets in 16,384 hash bins with python-tuf, or adds a target to it.

usage: python_author.py build DIRECTORY TARGETS
       python_author.py add DIRECTORY NUMBER
"""

import hashlib
import json
import os
import sys
from datetime import datetime, timedelta, timezone

from securesystemslib.signer import CryptoSigner, Key
from tuf.api.metadata import (
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    SuccinctRoles,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

BITS = 14
EXPIRES = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=30)
COMPACT = JSONSerializer(compact=True)


def signer(directory, name):
    path = os.path.join(directory, name + ".pem")
    if not os.path.exists(path):
        made = CryptoSigner.generate_ed25519()
        with open(path, "wb") as file:
            file.write(made.private_bytes)
        with open(path + ".pub", "wb") as file:
            file.write(json.dumps([made.public_key.keyid, made.public_key.to_dict()]).encode())
        return made
    with open(path + ".pub", "rb") as file:
        keyid, public = json.load(file)
    return CryptoSigner.from_priv_key_uri("file2:" + path, Key.from_dict(keyid, public))


def write(directory, name, metadata, signers):
    for one in signers:
        metadata.sign(one, append=True)
    data = metadata.to_bytes(COMPACT)
    with open(os.path.join(directory, name), "wb") as file:
        file.write(data)
    return MetaFile(metadata.signed.version, len(data), {"sha256": hashlib.sha256(data).hexdigest()})


def build(directory, count):
    os.makedirs(directory, exist_ok=True)
    key, online = signer(directory, "key"), signer(directory, "online")
    succinct = SuccinctRoles([online.public_key.keyid], 1, BITS, "bins")
    targets = Targets(expires=EXPIRES)
    targets.delegations = Delegations({online.public_key.keyid: online.public_key}, succinct_roles=succinct)
    bins = {name: Targets(expires=EXPIRES) for name in succinct.get_roles()}
    for number in range(count):
        path = f"packages/package-{number}.tar.gz"
        digest = hashlib.sha256(str(number).encode()).hexdigest()
        bins[succinct.get_role_for_target(path)].targets[path] = TargetFile(1000 + number, {"sha256": digest}, path)
    snapshot = Snapshot(expires=EXPIRES, meta={})
    for name, role in bins.items():
        snapshot.meta[name + ".json"] = write(directory, f"1.{name}.json", Metadata(role), [online])
    snapshot.meta["targets.json"] = write(directory, "1.targets.json", Metadata(targets), [key])
    listed = write(directory, "1.snapshot.json", Metadata(snapshot), [online])
    timestamp = Timestamp(expires=EXPIRES, snapshot_meta=listed)
    write(directory, "timestamp.json", Metadata(timestamp), [online])
    root = Root(expires=EXPIRES)
    for role in ("root", "targets"):
        root.add_key(key.public_key, role)
    for role in ("snapshot", "timestamp"):
        root.add_key(online.public_key, role)
    write(directory, "1.root.json", Metadata(root), [key])


def add(directory, number):
    online = signer(directory, "online")
    targets = Metadata[Targets].from_file(os.path.join(directory, "1.targets.json"))
    path = f"packages/new-{number}.tar.gz"
    name = targets.signed.delegations.succinct_roles.get_role_for_target(path)
    timestamp = Metadata[Timestamp].from_file(os.path.join(directory, "timestamp.json"))
    version = timestamp.signed.snapshot_meta.version
    snapshot = Metadata[Snapshot].from_file(os.path.join(directory, f"{version}.snapshot.json"))
    old = snapshot.signed.meta[name + ".json"].version
    role = Metadata[Targets].from_file(os.path.join(directory, f"{old}.{name}.json"))
    role.signed.targets[path] = TargetFile(1, {"sha256": hashlib.sha256(path.encode()).hexdigest()}, path)
    for metadata in (role, snapshot, timestamp):
        metadata.signed.version += 1
        metadata.signed.expires = EXPIRES
        metadata.signatures.clear()
    snapshot.signed.meta[name + ".json"] = write(directory, f"{role.signed.version}.{name}.json", role, [online])
    timestamp.signed.snapshot_meta = write(directory, f"{snapshot.signed.version}.snapshot.json", snapshot, [online])
    write(directory, "timestamp.json", timestamp, [online])


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(sys.argv[2], int(sys.argv[3]))
    else:
        add(sys.argv[2], sys.argv[3])
