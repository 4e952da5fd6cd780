#!/usr/bin/env python3
"""What verification is made of, many times over, with python-tuf's library.

usage: python_primitives.py verify SCHEME TIMES
       python_primitives.py canonicalise FILE TIMES
       python_primitives.py indent FILE OUT
"""

import json
import sys
from pathlib import Path

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner


def verify(scheme: str, times: int) -> None:
    """Verifies one signature so often."""
    makers = {
        "ed25519": CryptoSigner.generate_ed25519,
        "ecdsa-sha2-nistp256": CryptoSigner.generate_ecdsa,
        "rsassa-pss-sha256": CryptoSigner.generate_rsa,
    }
    signer = makers[scheme]()
    message = b"m" * 300
    signature = signer.sign(message)
    for _ in range(times):
        signer.public_key.verify_signature(signature, message)


def canonicalise(file: str, times: int) -> None:
    """Brings the metadata in a file into canonical form so often."""
    data = Path(file).read_bytes()
    for _ in range(times):
        encode_canonical(json.loads(data))


def indent(file: str, out: str) -> None:
    """Writes metadata in lines, as python-tuf does unless it is told otherwise."""
    Path(out).write_text(json.dumps(json.loads(Path(file).read_bytes()), indent=1, sort_keys=True))


what, subject, argument = sys.argv[1:]
if what == "indent":
    indent(subject, argument)
else:
    {"verify": verify, "canonicalise": canonicalise}[what](subject, int(argument))
