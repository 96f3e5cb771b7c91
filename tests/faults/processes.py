"""Processes of others, killed."""

import os
import signal
from collections.abc import Iterable


def kill(processes: Iterable[int]) -> int:
    """SIGKILL for each; how many there still were."""
    killed = 0
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
        killed += 1
    return killed
