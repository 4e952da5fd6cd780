#!/usr/bin/env python3
"""Makes the repositories that the benchmarks fetch from.

usage: make_repository.py OUT_DIR TARGETS PAYLOAD_BYTES

OUT_DIR/metadata and OUT_DIR/targets hold a repository with one Ed25519 key for
every role and TARGETS entries in its one targets role. The target `payload` has
PAYLOAD_BYTES bytes and is published; the others exist as entries only. All
metadata is canonical JSON, as compact as it gets.
"""

import hashlib
import json
import random
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EXPIRES = "2040-01-01T00:00:00Z"
PIECE = 1 << 20

out, count, payload_bytes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
metadata, targets_directory = out / "metadata", out / "targets"
metadata.mkdir(parents=True)
targets_directory.mkdir()
private = Ed25519PrivateKey.generate()
public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
key = {"keytype": "ed25519", "keyval": {"public": public}, "scheme": "ed25519"}


def canonical(value: object) -> bytes:
    """Canonical as long as all strings are plain ASCII, which they are here."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


keyid = hashlib.sha256(canonical(key)).hexdigest()


def write(name: str, signed: dict[str, object]) -> dict[str, object]:
    """Signs and writes a file; returns what another file says about it."""
    body = canonical({**signed, "expires": EXPIRES, "spec_version": "1.0.34", "version": 1})
    signatures = canonical([{"keyid": keyid, "sig": private.sign(body).hex()}])
    data = b'{"signatures":' + signatures + b',"signed":' + body + b"}"
    (metadata / name).write_bytes(data)
    return {
        "hashes": {"sha256": hashlib.sha256(data).hexdigest()},
        "length": len(data),
        "version": 1,
    }


def payload() -> dict[str, object]:
    """Publishes the payload under the name that consistent snapshots ask for."""
    temporary, digest, source = targets_directory / "new", hashlib.sha256(), random.Random(1)
    with temporary.open("wb") as file:
        for start in range(0, payload_bytes, PIECE):
            piece = source.randbytes(min(PIECE, payload_bytes - start))
            digest.update(piece)
            file.write(piece)
    temporary.rename(targets_directory / f"{digest.hexdigest()}.payload")
    return {"hashes": {"sha256": digest.hexdigest()}, "length": payload_bytes}


entries: dict[str, object] = {
    f"packages/{number % 1000:03d}/archive-{number:08d}.tar.gz": {
        "hashes": {"sha256": hashlib.sha256(str(number).encode()).hexdigest()},
        "length": number,
    }
    for number in range(count - 1)
}
entries["payload"] = payload()
role = {"keyids": [keyid], "threshold": 1}
write(
    "1.root.json",
    {
        "_type": "root",
        "consistent_snapshot": True,
        "keys": {keyid: key},
        "roles": {name: role for name in ("root", "timestamp", "snapshot", "targets")},
    },
)
listed = write("1.targets.json", {"_type": "targets", "targets": entries})
listed = write("1.snapshot.json", {"_type": "snapshot", "meta": {"targets.json": listed}})
write("timestamp.json", {"_type": "timestamp", "meta": {"snapshot.json": listed}})
