#!/usr/bin/env python3
"""Writes a TUF repository with python-tuf's metadata API, for tuffet to read.

usage: python_repository.py OUT_DIR [--bins succinct|prefixes] [--plain] [--ml-dsa]

OUT_DIR/metadata and OUT_DIR/targets are what a server publishes; the trust
anchor is OUT_DIR/metadata/1.root.json. What was written is described on
standard output as JSON, so that a test knows what to expect:

    {"repository": "python-tuf 7.0.1", "consistent_snapshot": true,
     "versions": {"root": 2, ...},
     "targets": {"hello.txt": {"role": "targets", "length": 6, "sha256": "..."}}}

Paths, contents and versions are the same in every run; keys and dates are not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import tuf
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
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

BIN_BITS = 2
BIN_PREFIX = "bin"

TOP_LEVEL_FILES = ["hello.txt", "dir/sub/file.txt", "empty.bin"]
TEAM_FILES = ["team/app.bin", "team/docs/readme.txt"]
NIGHTLY_FILES = ["team/nightly/app.bin"]
PACKAGE_FILES = [f"packages/package-{number:02}.txt" for number in range(12)]
POST_QUANTUM_FILES = ["pq/hello.txt"]


def content(path: str) -> bytes:
    """The bytes of a target: none, few, or enough to need several reads."""
    if path.startswith("empty"):
        return b""
    if path.endswith(".bin"):
        return hashlib.sha256(path.encode()).digest() * 8192
    return f"content of {path}\n".encode()


class Repository:
    """The roles, their keys, and the rules by which they are written."""

    def __init__(self, directory: Path, consistent: bool) -> None:
        self.metadata = directory / "metadata"
        self.targets = directory / "targets"
        self.consistent = consistent
        self.expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=3650)
        self.versions: dict[str, int] = {}
        self.described: dict[str, dict[str, object]] = {}
        self.listed: dict[str, MetaFile] = {}
        self.metadata.mkdir(parents=True)
        self.targets.mkdir(parents=True)

    def role(self, files: list[str], name: str) -> Targets:
        """A targets role with these files, which are written as well."""
        targets = Targets(version=1, expires=self.expires)
        for path in files:
            data = content(path)
            info = TargetFile.from_data(path, data, ["sha256", "sha512"])
            targets.targets[path] = info
            names = info.get_prefixed_paths() if self.consistent else [path]
            for stored in names:
                destination = self.targets / stored
                destination.parent.mkdir(parents=True, exist_ok=True)
                destination.write_bytes(data)
            self.described[path] = {
                "role": name,
                "length": len(data),
                "sha256": hashlib.sha256(data).hexdigest(),
            }
        return targets

    def publish(self, name: str, signed: Targets, signers: list[CryptoSigner]) -> None:
        """Signs and writes a targets role, and remembers it for the snapshot."""
        data = self.write(name, signed, signers)
        self.listed[f"{name}.json"] = MetaFile.from_data(signed.version, data, ["sha256"])

    def write(
        self,
        name: str,
        signed: Root | Timestamp | Snapshot | Targets,
        signers: list[CryptoSigner],
    ) -> bytes:
        """Signs and writes metadata; returns the bytes as written."""
        envelope = Metadata(signed)
        for signer in signers:
            envelope.sign(signer, append=True)
        data = envelope.to_bytes(JSONSerializer(compact=True))
        versioned = name == "root" or (self.consistent and name != "timestamp")
        file_name = f"{signed.version}.{name}.json" if versioned else f"{name}.json"
        (self.metadata / file_name).write_bytes(data)
        if name == "root":
            (self.metadata / "root.json").write_bytes(data)
        self.versions[name] = signed.version
        return data


def delegate(
    parent: Targets, name: str, signer: CryptoSigner, **kind: list[str]
) -> None:
    """Adds a delegation to `name`, with `paths` or `path_hash_prefixes`."""
    if parent.delegations is None:
        parent.delegations = Delegations(keys={}, roles={})
    key = signer.public_key
    parent.delegations.keys[key.keyid] = key
    roles = parent.delegations.roles
    assert roles is not None
    roles[name] = DelegatedRole(name, [key.keyid], 1, terminating=True, **kind)


def write_bins(repository: Repository, packages: Targets, bins: str) -> None:
    """Spreads the package files over hash bins below `packages`."""
    signer = CryptoSigner.generate_ed25519()
    key = signer.public_key
    succinct = SuccinctRoles([key.keyid], 1, BIN_BITS, BIN_PREFIX)
    files: dict[str, list[str]] = {name: [] for name in succinct.get_roles()}
    for path in PACKAGE_FILES:
        files[succinct.get_role_for_target(path)].append(path)

    if bins == "succinct":
        packages.delegations = Delegations({key.keyid: key}, succinct_roles=succinct)
    else:
        digits = "0123456789abcdef"
        share = len(digits) // succinct.number_of_bins
        for number, name in enumerate(files):
            prefixes = list(digits[number * share : (number + 1) * share])
            delegate(packages, name, signer, path_hash_prefixes=prefixes)
    for name, paths in files.items():
        repository.publish(name, repository.role(paths, name), [signer])


def write_targets(repository: Repository, bins: str, ml_dsa: bool, signer: CryptoSigner) -> None:
    """Writes the top-level targets role and everything it delegates to."""
    targets = repository.role(TOP_LEVEL_FILES, "targets")
    team_signer = CryptoSigner.generate_ecdsa()
    nightly_signer = CryptoSigner.generate_ed25519()
    packages_signer = CryptoSigner.generate_rsa(size=2048)

    delegate(targets, "team", team_signer, paths=["team/*", "team/*/*"])
    delegate(targets, "packages", packages_signer, paths=["packages/*"])
    if ml_dsa:
        post_quantum_signer = CryptoSigner.generate_mldsa()
        delegate(targets, "post-quantum", post_quantum_signer, paths=["pq/*"])
        role = repository.role(POST_QUANTUM_FILES, "post-quantum")
        repository.publish("post-quantum", role, [post_quantum_signer])

    team = repository.role(TEAM_FILES, "team")
    delegate(team, "team-nightly", nightly_signer, paths=["team/nightly/*"])
    nightly = repository.role(NIGHTLY_FILES, "team-nightly")
    packages = repository.role([], "packages")
    write_bins(repository, packages, bins)

    repository.publish("team-nightly", nightly, [nightly_signer])
    repository.publish("team", team, [team_signer])
    repository.publish("packages", packages, [packages_signer])
    repository.publish("targets", targets, [signer])


def write_root(
    repository: Repository, online: dict[str, CryptoSigner], rotated: CryptoSigner
) -> None:
    """Writes two versions of a root with 2 of 3 keys.

    Version 2 exchanges one root key, and the snapshot key for `rotated`.
    """
    first = CryptoSigner.generate_ed25519()
    second = CryptoSigner.generate_ecdsa()
    leaves = CryptoSigner.generate_rsa(size=2048)
    joins = CryptoSigner.generate_ed25519()

    root = Root(version=1, expires=repository.expires, consistent_snapshot=repository.consistent)
    for signer in (first, second, leaves):
        root.add_key(signer.public_key, "root")
    root.roles["root"].threshold = 2
    for role, signer in online.items():
        root.add_key(signer.public_key, role)
    repository.write("root", root, [first, leaves])

    root.version = 2
    root.revoke_key(leaves.public_key.keyid, "root")
    root.add_key(joins.public_key, "root")
    root.revoke_key(online["snapshot"].public_key.keyid, "snapshot")
    root.add_key(rotated.public_key, "snapshot")
    repository.write("root", root, [first, second, leaves, joins])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--bins", choices=["succinct", "prefixes"], default="succinct")
    parser.add_argument("--plain", action="store_true", help="no consistent snapshots")
    parser.add_argument("--ml-dsa", action="store_true", help="add a role with an ML-DSA key")
    arguments = parser.parse_args()

    repository = Repository(arguments.out_dir, consistent=not arguments.plain)
    online = {
        "timestamp": CryptoSigner.generate_ed25519(),
        "snapshot": CryptoSigner.generate_ed25519(),
        "targets": CryptoSigner.generate_rsa(size=2048),
    }
    snapshot_signer = CryptoSigner.generate_ecdsa()

    write_root(repository, online, snapshot_signer)
    write_targets(repository, arguments.bins, arguments.ml_dsa, online["targets"])
    snapshot = Snapshot(version=1, expires=repository.expires, meta=repository.listed)
    data = repository.write("snapshot", snapshot, [snapshot_signer])
    listed = MetaFile.from_data(snapshot.version, data, ["sha256"])
    timestamp = Timestamp(version=1, expires=repository.expires, snapshot_meta=listed)
    repository.write("timestamp", timestamp, [online["timestamp"]])

    json.dump(
        {
            "repository": f"python-tuf {tuf.__version__}",
            "consistent_snapshot": repository.consistent,
            "versions": repository.versions,
            "targets": repository.described,
        },
        sys.stdout,
        indent=1,
        sort_keys=True,
    )
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
