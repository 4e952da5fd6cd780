#!/usr/bin/env python3
"""Writes a TUF repository with python-tuf's metadata API, for tuffet to read.

usage: python_repository.py FEATURE DIR

DIR/metadata and DIR/targets are what a server publishes, and show the feature;
the trust anchor is DIR/metadata/1.root.json. The content of a target NAME is
`content of NAME` and a line end. Standard output is one JSON object: `targets`
has the role of each target by name, `refused` the names that a client must not
find. Ends with 3, and the reason on standard error, when it cannot do that.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

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

PLAIN_TARGETS = ["app.txt", "tool.txt"]
ODD_TARGETS = ["a b.txt", "größe.txt", "日本語.txt", "a+b&c=(d);e@f!.txt"]
URL_TARGETS = ["100%.txt", "a%20b.txt", "c#1.txt"]
PACKAGES = [f"package-{number}.txt" for number in range(12)]
HASHES = {"sha512": ["sha512"], "sha256-sha512": ["sha256", "sha512"]}
TARGETS = {
    "directories": ["dir/app.txt", "a/b/c/tool.txt"],
    "odd-targets": ODD_TARGETS,
    "url-targets": URL_TARGETS,
}


def new_key(scheme: str = "ed25519") -> CryptoSigner:
    if scheme.startswith("ecdsa"):
        return CryptoSigner.generate_ecdsa(scheme=scheme)
    if scheme.startswith("rsa"):
        return CryptoSigner.generate_rsa(scheme=scheme, size=2048)
    if scheme.startswith("ml-dsa"):
        return CryptoSigner.generate_mldsa(scheme=scheme)
    return CryptoSigner.generate_ed25519()


@dataclass(frozen=True)
class Keys:
    """Who signs for the four roles."""

    root: tuple[CryptoSigner, ...]
    timestamp: CryptoSigner
    snapshot: CryptoSigner
    targets: CryptoSigner
    threshold: int = 1

    @classmethod
    def new(cls, scheme: str = "ed25519") -> Keys:
        first, *others = (new_key(scheme) for _ in range(4))
        return cls((first,), *others)

    def with_root(self, *root: CryptoSigner) -> Keys:
        return replace(self, root=root)

    def with_new_online_keys(self) -> Keys:
        return replace(Keys.new(), root=self.root, threshold=self.threshold)


class Repository:
    """The files of a repository, and what a reader must find in it."""

    def __init__(self, directory: Path, feature: str) -> None:
        self.metadata = directory / "metadata"
        self.targets = directory / "targets"
        self.consistent = feature != "plain"
        self.versions_only = feature == "versions-only"
        self.hashes = HASHES.get(feature, ["sha256"])
        self.expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=365)
        self.roles: dict[str, str] = {}
        self.refused: list[str] = []
        self.listed: dict[str, MetaFile] = {}
        self.metadata.mkdir(parents=True)
        self.targets.mkdir(parents=True)

    def role(self, files: list[str], name: str) -> Targets:
        """A targets role with these files, which are written as well."""
        targets = Targets(version=1, expires=self.expires)
        for path in files:
            data = f"content of {path}\n".encode()
            info = TargetFile.from_data(path, data, self.hashes)
            targets.targets[path] = info
            names = info.get_prefixed_paths() if self.consistent else [path]
            for stored in names:
                destination = self.targets / stored
                destination.parent.mkdir(parents=True, exist_ok=True)
                destination.write_bytes(data)
            self.roles[path] = name
        return targets

    def publish(self, name: str, signed: Targets, signer: CryptoSigner) -> None:
        """Signs and writes a targets role, and remembers it for the snapshot."""
        data = self.write(name, signed, [signer])
        self.listed[f"{name}.json"] = self.meta_file(data)

    def meta_file(self, data: bytes) -> MetaFile:
        return MetaFile(1) if self.versions_only else MetaFile.from_data(1, data, ["sha256"])

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
        return data

    def write_roots(self, chain: list[Keys]) -> None:
        """Writes a chain of roots, each signed as its predecessor and itself ask for."""
        before: tuple[CryptoSigner, ...] = ()
        for version, keys in enumerate(chain, start=1):
            root = Root(
                version=version, expires=self.expires, consistent_snapshot=self.consistent
            )
            for signer in keys.root:
                root.add_key(signer.public_key, "root")
            root.roles["root"].threshold = keys.threshold
            for role in ("timestamp", "snapshot", "targets"):
                root.add_key(getattr(keys, role).public_key, role)
            leaving = [signer for signer in before if signer not in keys.root]
            # Not one signature more than is needed.
            self.write("root", root, [*keys.root[: keys.threshold], *leaving])
            before = keys.root

    def finish(self, keys: Keys, targets: Targets) -> None:
        """Writes targets, snapshot and timestamp."""
        self.publish("targets", targets, keys.targets)
        snapshot = Snapshot(version=1, expires=self.expires, meta=self.listed)
        data = self.write("snapshot", snapshot, [keys.snapshot])
        listed = self.meta_file(data)
        timestamp = Timestamp(version=1, expires=self.expires, snapshot_meta=listed)
        self.write("timestamp", timestamp, [keys.timestamp])


def delegate(
    parent: Targets, name: str, signer: CryptoSigner, terminating: bool, **kind: list[str]
) -> None:
    """Adds a delegation to `name`, with `paths` or `path_hash_prefixes`."""
    if parent.delegations is None:
        parent.delegations = Delegations(keys={}, roles={})
    key = signer.public_key
    parent.delegations.keys[key.keyid] = key
    roles = parent.delegations.roles
    assert roles is not None
    roles[name] = DelegatedRole(name, [key.keyid], 1, terminating=terminating, **kind)


def write_team(repository: Repository, targets: Targets, name: str) -> None:
    signer = new_key()
    delegate(targets, name, signer, True, paths=["team-*", "more-?.txt"])
    repository.publish(name, repository.role(["team-tool.txt"], name), signer)


def write_prefixes(repository: Repository, targets: Targets) -> None:
    for name, digits in (("low", "01234567"), ("high", "89abcdef")):
        signer = new_key()
        delegate(targets, name, signer, True, path_hash_prefixes=list(digits))
        files = [
            path for path in PACKAGES if hashlib.sha256(path.encode()).hexdigest()[0] in digits
        ]
        repository.publish(name, repository.role(files, name), signer)


def write_bins(repository: Repository, targets: Targets) -> None:
    signer = new_key()
    key = signer.public_key
    succinct = SuccinctRoles([key.keyid], 1, 2, "bin")
    targets.delegations = Delegations({key.keyid: key}, succinct_roles=succinct)
    files: dict[str, list[str]] = {name: [] for name in succinct.get_roles()}
    for path in PACKAGES:
        files[succinct.get_role_for_target(path)].append(path)
    for name, paths in files.items():
        repository.publish(name, repository.role(paths, name), signer)


def write_nested(repository: Repository, targets: Targets) -> None:
    parent, above = targets, None
    for name, pattern, path in (
        ("team", "a-*", "a-x.txt"),
        ("group", "a-b-*", "a-b-x.txt"),
        ("person", "a-b-c-*", "a-b-c-x.txt"),
    ):
        signer = new_key()
        delegate(parent, name, signer, False, paths=[pattern])
        if above is not None:
            repository.publish(above[0], parent, above[1])
        parent, above = repository.role([path], name), (name, signer)
    assert above is not None
    repository.publish(above[0], parent, above[1])


def write_terminating(repository: Repository, targets: Targets) -> None:
    for name, patterns, terminating, files in (
        ("first", ["open-*"], False, ["open-first.txt"]),
        ("closed", ["closed-*"], True, ["closed-app.txt"]),
        ("later", ["open-*", "closed-*"], True, ["open-later.txt", "closed-behind.txt"]),
    ):
        signer = new_key()
        delegate(targets, name, signer, terminating, paths=patterns)
        repository.publish(name, repository.role(files, name), signer)
    repository.refused = ["closed-behind.txt"]


def chain_of(feature: str) -> list[Keys]:
    """The keys of each root."""
    if feature == "quorum":
        kinds = ("ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256")
        return [replace(Keys.new(), root=tuple(map(new_key, kinds)), threshold=2)]
    if feature == "rotated-root":
        first = replace(Keys.new(), root=(new_key(), new_key()), threshold=2)
        second = first.with_root(new_key(), first.root[1])
        return [first, second, second.with_root(second.root[0], new_key()).with_new_online_keys()]
    if feature == "rotated-online":
        keys = Keys.new()
        return [keys, keys.with_new_online_keys()]
    if feature == "many-roots":
        return [Keys.new()] * 20
    is_scheme = feature.startswith(("ecdsa-", "rsa", "ml-dsa-"))
    return [Keys.new(feature if is_scheme else "ed25519")]


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print("usage: python_repository.py FEATURE DIR", file=sys.stderr)
        return 2
    feature, directory = arguments
    repository = Repository(Path(directory), feature)
    chain = chain_of(feature)
    repository.write_roots(chain)
    targets = repository.role(TARGETS.get(feature, PLAIN_TARGETS), "targets")
    if feature in ("paths", "odd-roles"):
        write_team(repository, targets, "team" if feature == "paths" else "rôle with blanks")
    elif feature == "prefixes":
        write_prefixes(repository, targets)
    elif feature == "bins":
        write_bins(repository, targets)
    elif feature == "nested":
        write_nested(repository, targets)
    elif feature == "terminating":
        write_terminating(repository, targets)
    repository.finish(chain[-1], targets)
    for name in repository.refused:
        del repository.roles[name]
    json.dump({"targets": repository.roles, "refused": repository.refused}, sys.stdout)
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
