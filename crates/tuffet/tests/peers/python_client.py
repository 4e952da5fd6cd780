#!/usr/bin/env python3
"""python-tuf behind the command line of the TUF conformance suite.

python_client.py --metadata-dir DIR init ROOT
python_client.py --metadata-dir DIR --metadata-url URL refresh
python_client.py --metadata-dir DIR --metadata-url URL --target-name NAME...
                 --target-base-url URL --target-dir DIR download

Exits with 1 when something is refused, and with 2 when called wrongly.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.ngclient import Updater


def updater(arguments: argparse.Namespace) -> Updater:
    """A client that trusts what it stored; the first root is what `init` was given."""
    return Updater(
        metadata_dir=arguments.metadata_dir,
        metadata_base_url=arguments.metadata_url,
        target_dir=arguments.target_dir,
        target_base_url=arguments.target_base_url,
        bootstrap=None,
    )


def init(arguments: argparse.Namespace) -> None:
    directory = Path(arguments.metadata_dir)
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(arguments.root, directory / "root.json")


def refresh(arguments: argparse.Namespace) -> None:
    updater(arguments).refresh()


def download(arguments: argparse.Namespace) -> None:
    client = updater(arguments)
    client.refresh()
    Path(arguments.target_dir).mkdir(parents=True, exist_ok=True)
    for name in arguments.target_name:
        info = client.get_targetinfo(name)
        if info is None:
            raise RepositoryError(f"no trusted role lists the target {name}")
        if client.find_cached_target(info) is None:
            client.download_target(info)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--metadata-dir", required=True)
    parser.add_argument("--metadata-url", default="")
    parser.add_argument("--target-name", action="append", default=[])
    parser.add_argument("--target-base-url")
    parser.add_argument("--target-dir")
    commands = parser.add_subparsers(required=True)
    first = commands.add_parser("init")
    first.add_argument("root")
    first.set_defaults(run=init)
    commands.add_parser("refresh").set_defaults(run=refresh)
    commands.add_parser("download").set_defaults(run=download)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except (RepositoryError, DownloadError, OSError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
