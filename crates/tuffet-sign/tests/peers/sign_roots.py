#!/usr/bin/env python3
"""Signs root metadata with keys in files, with securesystemslib.

Reads from stdin, one a line, {"path": FILE, "key": KEY OBJECT}, and prints for each a root that names the key for every role and is
signed by it.
"""

import json
import sys

from securesystemslib.signer import CryptoSigner, Key
from tuf.api.metadata import Metadata, Root
from tuf.api.serialization.json import JSONSerializer


def main() -> int:
    for line in sys.stdin:
        case = json.loads(line)
        key = Key.from_dict("k", case["key"])
        signer = CryptoSigner.from_priv_key_uri("file2:" + case["path"], key)
        root = Root(consistent_snapshot=True)
        for role in list(root.roles):
            root.add_key(key, role)
        metadata = Metadata(root)
        metadata.sign(signer)
        print(metadata.to_bytes(JSONSerializer(compact=True)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
