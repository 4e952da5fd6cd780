#!/usr/bin/env python3
"""Reads root metadata from stdin, one file a line, and verifies each by its own keys with python-tuf.

Prints how many were accepted; exits with 1 and the scheme of the first that is refused.
"""

import sys

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root


def main() -> int:
    accepted = 0
    for line in sys.stdin:
        root = Metadata[Root].from_bytes(line.encode())
        schemes = [key.scheme for key in root.signed.keys.values()]
        try:
            root.verify_delegate(Root.type, root)
        except RepositoryError as error:
            print(f"{schemes}: {error}", file=sys.stderr)
            return 1
        accepted += 1
    print(accepted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
