#!/usr/bin/env python3
"""Makes the repositories that the benchmarks fetch from.

usage: make_repository.py OUT_DIR [--targets N] [--payload BYTES] [--small N]
                          [--roots N] [--bins prefixes|succinct]

OUT_DIR/metadata and OUT_DIR/targets hold a repository with one Ed25519 key for
every role and N targets, in its one targets role or in 16,384 hash bins. The
target `payload` and the small ones, `small-NUMBER`, are published; the others
exist as entries only. All metadata is canonical JSON, as compact as it gets.
"""

import argparse
import hashlib
import json
import random
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EXPIRES = "2040-01-01T00:00:00Z"
PIECE = 1 << 20
BITS = 14
SMALL = 1 << 10

parser = argparse.ArgumentParser()
parser.add_argument("out", type=Path)
parser.add_argument("--targets", type=int, default=1)
parser.add_argument("--payload", type=int, default=SMALL)
parser.add_argument("--small", type=int, default=0)
parser.add_argument("--roots", type=int, default=1)
parser.add_argument("--bins", choices=["prefixes", "succinct"])
arguments = parser.parse_args()

metadata, targets_directory = arguments.out / "metadata", arguments.out / "targets"
metadata.mkdir(parents=True)
targets_directory.mkdir()
private = Ed25519PrivateKey.generate()
public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
key = {"keytype": "ed25519", "keyval": {"public": public}, "scheme": "ed25519"}


def canonical(value: object) -> bytes:
    """Canonical as long as all strings are plain ASCII, which they are here."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


keyid = hashlib.sha256(canonical(key)).hexdigest()


def write(name: str, signed: dict[str, object], version: int = 1) -> dict[str, object]:
    """Signs and writes a file; returns what another file says about it."""
    body = canonical({**signed, "expires": EXPIRES, "spec_version": "1.0.34", "version": version})
    signatures = canonical([{"keyid": keyid, "sig": private.sign(body).hex()}])
    data = b'{"signatures":' + signatures + b',"signed":' + body + b"}"
    (metadata / name).write_bytes(data)
    return {
        "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
        "length": len(data),
        "version": 1,
    }


def payload(length: int) -> dict[str, object]:
    """Publishes the payload under the name that consistent snapshots ask for."""
    temporary, digest, source = targets_directory / "new", hashlib.sha256(), random.Random(1)
    with temporary.open("wb") as file:
        for start in range(0, length, PIECE):
            piece = source.randbytes(min(PIECE, length - start))
            digest.update(piece)
            file.write(piece)
    temporary.rename(targets_directory / f"{digest.hexdigest()}.payload")
    return {"hashes": {"sha256": digest.hexdigest()}, "length": length}


def small(number: int) -> dict[str, object]:
    """Publishes a small target."""
    content = random.Random(number).randbytes(SMALL)
    digest = hashlib.sha256(content).hexdigest()
    (targets_directory / f"{digest}.small-{number:04d}").write_bytes(content)
    return {"hashes": {"sha256": digest}, "length": SMALL}


def bin_of(path: str) -> int:
    """The bin of a path: the first bits of its hash."""
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:2], "big") >> (16 - BITS)


def bin_name(number: int) -> str:
    """As TAP 15 writes it: as many hexadecimal digits as the last one needs."""
    return f"bin-{number:04x}"


def delegations(kind: str) -> dict[str, object]:
    """All bins, as one succinct description or as one role each."""
    keys = {keyid: key}
    if kind == "succinct":
        bins = {"bit_length": BITS, "keyids": [keyid], "name_prefix": "bin", "threshold": 1}
        return {"keys": keys, "succinct_roles": bins}
    width = 1 << (16 - BITS)
    roles = [
        {
            "keyids": [keyid],
            "name": bin_name(number),
            "path_hash_prefixes": [f"{number * width + place:04x}" for place in range(width)],
            "terminating": False,
            "threshold": 1,
        }
        for number in range(1 << BITS)
    ]
    return {"keys": keys, "roles": roles}


entries: dict[str, object] = {
    f"packages/{number % 1000:03d}/archive-{number:08d}.tar.gz": {
        "hashes": {"sha256": hashlib.sha256(str(number).encode()).hexdigest()},
        "length": number,
    }
    for number in range(arguments.targets - 1 - arguments.small)
}
entries["payload"] = payload(arguments.payload)
entries.update({f"small-{number:04d}": small(number) for number in range(arguments.small)})
role = {"keyids": [keyid], "threshold": 1}
for version in range(1, arguments.roots + 1):
    write(
        f"{version}.root.json",
        {
            "_type": "root",
            "consistent_snapshot": True,
            "keys": {keyid: key},
            "roles": {name: role for name in ("root", "timestamp", "snapshot", "targets")},
        },
        version,
    )
meta: dict[str, object] = {}
top: dict[str, object] = {"_type": "targets", "targets": entries}
if arguments.bins:
    bins: list[dict[str, object]] = [{} for _ in range(1 << BITS)]
    for path, entry in entries.items():
        bins[bin_of(path)][path] = entry
    for number, listed_there in enumerate(bins):
        name = bin_name(number)
        content = {"_type": "targets", "targets": listed_there}
        meta[f"{name}.json"] = write(f"1.{name}.json", content)
    top = {"_type": "targets", "targets": {}, "delegations": delegations(arguments.bins)}
meta["targets.json"] = write("1.targets.json", top)
listed = write("1.snapshot.json", {"_type": "snapshot", "meta": meta})
write("timestamp.json", {"_type": "timestamp", "meta": {"snapshot.json": listed}})
