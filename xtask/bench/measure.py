#!/usr/bin/env python3
"""Runs a command and prints what the operating system says it took.

usage: measure.py COMMAND [ARGUMENT...]

A command that takes longer than a minute is ended. Prints {"code": exit code, "late": whether it was ended, "cpu": seconds,
"peak_kib": KiB, "wall": seconds} as JSON on the last line; the command's own output goes to standard error.
"""

import json
import os
import signal
import sys
import time

LIMIT = 60

start = time.monotonic()
child = os.posix_spawnp(
    sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)]
)
late = False


def end(*_):
    global late
    late = True
    os.kill(child, signal.SIGKILL)


signal.signal(signal.SIGALRM, end)
signal.alarm(LIMIT)
_, status, usage = os.wait4(child, 0)
print(
    json.dumps(
        {
            "code": os.waitstatus_to_exitcode(status),
            "late": late,
            "cpu": usage.ru_utime + usage.ru_stime,
            "peak_kib": usage.ru_maxrss,
            "wall": time.monotonic() - start,
        }
    )
)
