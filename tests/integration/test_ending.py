"""A stack that is being ended leaves nothing behind, however impatient whoever ends it is."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.state import ROOT, State

#: Ends a stack, and presses again before each of its programs is stopped.
_ENDING = """
import os, sys
from pathlib import Path
from local import stack
from local.processes import Daemon
from local.state import State

stop = Daemon.stop

def press_and_stop(daemon, **how):
    os.kill(os.getpid(), int(sys.argv[2]))
    stop(daemon, **how)

Daemon.stop = press_and_stop
stack.down(State(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("pressed", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_pressed_again_leaves_nothing_running(tmp_path: Path, pressed: signal.Signals) -> None:
    state = State(tmp_path)
    daemons = [state.daemon("gateway"), state.daemon("ministack")]
    for daemon in daemons:
        daemon.start([sys.executable, "-c", "import time; time.sleep(600)"], environment=state.environment())
    command = [sys.executable, "-c", _ENDING, str(tmp_path), str(int(pressed))]
    ending = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    left = [daemon.pid() for daemon in daemons]
    for daemon in daemons:
        daemon.stop(patience_s=10)
    assert (ending.returncode, ending.stderr) == (0, "")
    assert left == [None, None]
