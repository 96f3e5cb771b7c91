"""A stack that is being ended leaves nothing behind, however impatient whoever ends it is."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from local.__main__ import main
from local.processes import Daemon
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


#: `make run`, with programs that sleep for a stack.
_RUNNING = """
import sys
from local import __main__ as command, stack
from local.state import State

def up(state, gateway, by, *, rules):
    for name in ("gateway", "ministack"):
        state.daemon(name).start(
            [sys.executable, "-c", "import time; time.sleep(600)"], environment=state.environment()
        )
    state.write_json(state.stack_file, {"api_url": "http://127.0.0.1/", "web_url": "", "gateway_url": ""})
    return {"api_url": "http://127.0.0.1/", "web_url": "", "gateway_url": ""}

stack.up = up
stack.is_up = lambda state: state.stack_file.exists()
command._walk = lambda state: 0
sys.exit(command.main(["run", "--state", sys.argv[1]]))
"""


def in_a_terminal(*arguments: str) -> tuple[int, int]:
    """Python with these arguments in a terminal of its own: its process, and our side of the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        for number in (signal.SIGINT, signal.SIGHUP):  # which are ignored where these tests run in the background
            signal.signal(number, signal.SIG_DFL)
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - it starts what it tests
    return pid, terminal


def sleeping(state: State) -> list[Daemon]:
    """Programs that do nothing, for a stack's."""
    daemons = [state.daemon("gateway"), state.daemon("ministack")]
    for daemon in daemons:
        daemon.start([sys.executable, "-c", "import time; time.sleep(600)"], environment=state.environment())
    return daemons


@pytest.mark.parametrize("pressed", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_pressed_again_leaves_nothing_running(tmp_path: Path, pressed: signal.Signals) -> None:
    daemons = sleeping(State(tmp_path))
    command = [sys.executable, "-c", _ENDING, str(tmp_path), str(int(pressed))]
    ending = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    left = [daemon.pid() for daemon in daemons]
    for daemon in daemons:
        daemon.stop(patience_s=10)
    assert (ending.returncode, ending.stderr) == (0, "")
    assert left == [None, None]


@pytest.mark.parametrize("how", ["the terminal is closed", "Ctrl-C", "Ctrl-C, pressed again and again"])
def test_run_ends_everything_and_keeps_the_data(tmp_path: Path, how: str) -> None:
    state = State(tmp_path)
    pid, terminal = in_a_terminal("-c", _RUNNING, str(tmp_path))
    said = b""
    while b"Ctrl-C ends it." not in said:
        said += os.read(terminal, 1_000)
    assert all(state.daemon(name).pid() is not None for name in ("gateway", "ministack")), said
    if how == "the terminal is closed":
        os.close(terminal)  # the system then sends SIGHUP
    else:
        os.write(terminal, b"\x03")
        while how != "Ctrl-C" and state.stack_file.exists():
            os.kill(pid, signal.SIGINT)
        with contextlib.suppress(OSError):  # the other side has been closed
            while os.read(terminal, 1_000):
                pass
        os.close(terminal)
    _, status = os.waitpid(pid, 0)
    left = [state.daemon(name).pid() for name in ("gateway", "ministack")]
    for name in ("gateway", "ministack"):
        state.daemon(name).stop(patience_s=10)
    assert left == [None, None]
    assert os.waitstatus_to_exitcode(status) == 0
    assert not state.stack_file.exists()


_TESTING = """
from pathlib import Path
import sys
from local.state import State

def test_something_that_needs_a_stack():
    daemon = State(Path({folder!r})).daemon("gateway")
    daemon.start([sys.executable, "-c", "import time; time.sleep(600)"], environment={{}})
    try:
        import time
        print("it runs", flush=True)
        while True:  # a signal that comes right before a sleep waits for its end
            time.sleep(0.05)
    finally:
        daemon.stop(patience_s=10)
"""


def test_tests_end_what_they_have_started_when_their_terminal_is_closed(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(_TESTING.format(folder=str(tmp_path)))
    settings = ["-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", "-p", "no:cacheprovider", "-s"]
    pid, terminal = in_a_terminal("-m", "pytest", *settings, str(test))
    said = b""
    while b"it runs" not in said:
        said += os.read(terminal, 1_000)
    daemon = State(tmp_path).daemon("gateway")
    assert daemon.pid() is not None
    os.close(terminal)
    os.waitpid(pid, 0)
    left = daemon.pid()
    daemon.stop(patience_s=10)
    assert left is None


def test_a_part_that_ends_by_itself_is_named_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = State(tmp_path)
    daemons = sleeping(state)

    def up(state: State, *_: object, rules: str) -> dict[str, str]:
        state.write_json(state.stack_file, {"api_url": "", "web_url": "", "gateway_url": ""})
        daemons[0].stop(patience_s=10)
        return {"api_url": "", "web_url": "", "gateway_url": ""}

    monkeypatch.setattr("local.stack.up", up)
    monkeypatch.setattr("local.__main__._walk", lambda _: 0)
    assert main(["run", "--state", str(tmp_path)]) == 1
    assert f"gateway has ended by itself: see {tmp_path / 'logs' / 'gateway.log'}" in capsys.readouterr().err
    assert daemons[1].pid() is None


def test_a_stack_that_another_command_has_ended_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which may be at it still, or have begun the next one."""
    state = State(tmp_path)
    told: list[str] = []

    def up(state: State, *_: object, rules: str) -> dict[str, str]:
        state.write_json(state.stack_file, {"api_url": "", "web_url": "", "gateway_url": ""})
        return {"api_url": "", "web_url": "", "gateway_url": ""}

    def walk(_: State) -> int:
        other.start()
        return 0

    def end() -> None:
        with state.alone():
            locked.set()
            time.sleep(1)
            state.stack_file.unlink()

    locked = threading.Event()
    other = threading.Thread(target=end)
    monkeypatch.setattr("local.stack.up", up)
    monkeypatch.setattr("local.stack.is_up", lambda state: state.stack_file.exists() and not locked.is_set())
    monkeypatch.setattr("local.stack.down", lambda _: told.append("down"))
    monkeypatch.setattr("local.__main__._walk", walk)
    assert main(["run", "--state", str(tmp_path)]) == 1
    other.join()
    assert "The stack was ended by another command." in capsys.readouterr().err
    assert told == []


def test_a_stack_that_is_up_is_not_run_by_a_second_one_whose_end_would_be_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.stack.is_up", lambda _: True)
    assert main(["run", "--state", str(tmp_path)]) == 1
    assert "`make walk` walks the money path on it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["operator", "pending"], "COMMAND is no JSON ("),
        (["up", "--rules", "above=1,sometimes=1"], "CONFIRMATION_RULES: 'sometimes=1' is no rule"),
        (["up", "--origins", "https://app.example/"], "ALLOWED_ORIGINS: origins as browsers write them"),
        (["operator", ""], "COMMAND is no JSON ("),
        (["operator", "{'command': 'pending'}"], "COMMAND is no JSON ("),
        (["operator", "[1]"], "COMMAND is no JSON object: [1]"),
        (["up", "--gateway", "paytm"], "There is no GATEWAY=paytm; there are: razorpay, cashfree."),
        (["verify"], "`make export` writes one."),
    ],
)
def test_what_can_not_be_done_is_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main([*arguments, "--state", str(tmp_path)]) == 1
    assert told in capsys.readouterr().err


def data_of(state: State) -> list[Daemon]:
    """A stack's folder, with programs that run and with what they keep."""
    for name in ("ministack/saved-1/kms.json", "mysql/mariadb-10.11/data/ibdata1", "build/stack/template.yaml"):
        path = state.folder / name
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    state.secret("gateway_key_secret")
    state.write_json(state.stack_file, {})
    (state.folder / "another").mkdir()
    return sleeping(state)


def all_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize(("typed", "done"), [("yes\n", 0), ("no\n", 1), ("\n", 1), (None, 1)])
def test_a_reset_deletes_a_stacks_data_and_nothing_else_when_it_is_told_yes(
    tmp_path: Path, typed: str | None, done: int
) -> None:
    state = State(tmp_path)
    daemons = data_of(state)
    before = all_of(tmp_path)
    command = [sys.executable, "-m", "local", "reset", "--state", str(tmp_path)]
    given = {"stdin": subprocess.DEVNULL} if typed is None else {"input": typed}
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **given)
    running = [daemon.pid() is not None for daemon in daemons]
    for daemon in daemons:
        daemon.stop(patience_s=10)
    assert asked.returncode == done, asked.stderr
    if done == 0:
        assert running == [False, False]
        assert all_of(tmp_path) == {"another", "build", "build/stack", "build/stack/template.yaml", "stack.lock"}
    else:
        assert running == [True, True]
        assert before - all_of(tmp_path) <= {"gateway.pid", "ministack.pid"}
    assert ("FORCE=1" in asked.stderr) is (typed is None)


def test_a_reset_by_force_asks_nobody_and_a_second_one_has_nothing_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daemons = data_of(State(tmp_path))
    assert main(["reset", "--force", "--state", str(tmp_path)]) == 0
    assert [daemon.pid() for daemon in daemons] == [None, None]
    capsys.readouterr()
    assert main(["reset", "--state", str(tmp_path)]) == 0
    assert "nothing to delete" in capsys.readouterr().out
    assert main(["reset", "--state", str(tmp_path / "nowhere")]) == 0


#: `make up`, with a step of its own and a stack that may be up by the time that it prints.
_STARTING = """
import contextlib, sys
from local import __main__ as command, stack

def up(state, gateway, by, *, rules):
    with stack._step("database"):
        pass
    return {"api_url": "", "web_url": "", "gateway_url": ""}

def later(state, gateway, by, *, rules):
    return {"api_url": "", "web_url": "", "gateway_url": ""}

stack.up, is_up = {"before": (up, False), "after": (later, True)}[sys.argv[2]]
stack.is_up = lambda state: is_up
sys.exit(command.main(["up", "--state", sys.argv[1]]))
"""


@pytest.mark.parametrize(
    ("when", "status", "said"),
    [("before", 1, "\nended, as nobody reads what it prints: no stack is up\n"), ("after", 0, "")],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_ends_it_quietly(
    tmp_path: Path, when: str, status: int, said: str, unbuffered: str
) -> None:
    """As in `make up | head -1`."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", _STARTING, str(tmp_path), when],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (status, said)


def test_a_broken_pipe_of_something_else_is_no_reader_that_went_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_: State) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("local.stack.down", down)
    with pytest.raises(BrokenPipeError):
        main(["down", "--state", str(tmp_path)])
