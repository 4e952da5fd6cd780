#!/usr/bin/env python3
"""Updates from a TUF repository with python-tuf's client.

usage: python_client.py METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR [TARGET...]

What the client trusts is kept in OUT_DIR/metadata, what it downloaded in
OUT_DIR/targets; a second run with the same OUT_DIR is a second update of the
same client. Prints what it trusts and got as JSON:

    {"client": "python-tuf 7.0.1", "versions": {"root": 2, ...},
     "targets": {"hello.txt": {"length": 6, "sha256": "..."}}}

Exits with 1 when the update or a download is refused, and with 2 when called
wrongly.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from urllib.parse import unquote

import tuf
from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import Metadata
from tuf.ngclient import Updater


def trusted_versions(metadata: Path) -> dict[str, int]:
    """The version of every role that the client stored, by role name."""
    return {
        unquote(file.stem): Metadata.from_file(str(file)).signed.version
        for file in sorted(metadata.glob("*.json"))
    }


def update(
    metadata_url: str, targets_url: str, root: bytes, out: Path, names: list[str]
) -> dict[str, dict[str, object]]:
    """Refreshes, downloads `names`, and describes what was downloaded."""
    updater = Updater(
        metadata_dir=str(out / "metadata"),
        metadata_base_url=metadata_url,
        target_base_url=targets_url,
        bootstrap=root,
    )
    updater.refresh()
    downloaded: dict[str, dict[str, object]] = {}
    for name in names:
        info = updater.get_targetinfo(name)
        if info is None:
            raise RepositoryError(f"no trusted role lists the target {name}")
        destination = out / "targets" / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        updater.download_target(info, str(destination))
        data = destination.read_bytes()
        downloaded[name] = {
            "length": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    return downloaded


def main(arguments: list[str]) -> int:
    if len(arguments) < 4:
        print((__doc__ or "").splitlines()[2], file=sys.stderr)
        return 2
    metadata_url, targets_url, root_file, out_dir, *names = arguments
    out = Path(out_dir)
    (out / "metadata").mkdir(parents=True, exist_ok=True)
    try:
        downloaded = update(metadata_url, targets_url, Path(root_file).read_bytes(), out, names)
    except (RepositoryError, DownloadError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    json.dump(
        {
            "client": f"python-tuf {tuf.__version__}",
            "versions": trusted_versions(out / "metadata"),
            "targets": downloaded,
        },
        sys.stdout,
        indent=1,
        sort_keys=True,
    )
    print()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
