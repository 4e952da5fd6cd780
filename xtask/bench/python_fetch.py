#!/usr/bin/env python3
"""The least that a user of python-tuf writes to fetch one target.

usage: python_fetch.py METADATA_URL TARGETS_URL ROOT_FILE OUT_DIR TARGET
"""

import sys
from pathlib import Path

from tuf.ngclient import Updater

metadata_url, targets_url, root, out, target = sys.argv[1:]
metadata = Path(out, "metadata")
metadata.mkdir(parents=True, exist_ok=True)
updater = Updater(
    metadata_dir=str(metadata),
    metadata_base_url=metadata_url,
    target_base_url=targets_url,
    bootstrap=Path(root).read_bytes(),
)
updater.refresh()
info = updater.get_targetinfo(target)
assert info is not None
destination = Path(out, "targets", Path(target).name)
destination.parent.mkdir(exist_ok=True)
updater.download_target(info, str(destination))
