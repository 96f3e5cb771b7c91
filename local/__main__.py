"""The command: `python -m local up`, `down`, `run`, `walk`, `status`, `operator`, `audit` …; see `make help`."""

import argparse
import json
import re
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local import stack
from local.deploy import GATEWAYS, RAZORPAY, RULES
from local.detours import Detours
from local.processes import ENDING, LocalStackError, hang_up, nobody_reads, print_nowhere
from local.state import ROOT, State
from local.template import read

#: From this status of HTTP on, nothing was done.
_REFUSED = 400


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local", description="The stack on this machine.")
    parser.add_argument(
        "command", choices=(*_STARTING, *_COMMANDS, "reset", "operator", "webhook", "export", "verify", "deploy")
    )
    parser.add_argument("parameters", nargs="*", help="with operator: one command, JSON; with webhook: wallet, URL")
    parser.add_argument("--state", type=Path, default=ROOT / ".local", help="its folder; default: .local")
    parser.add_argument("--operator", default="meera", help="with operator: as whom; there are meera and ravi")
    parser.add_argument("--role", help="with operator: the role that commands; default: the one whose command it is")
    parser.add_argument("--gateway", default=RAZORPAY, help="with up and run: what top-ups go by")
    parser.add_argument(
        "--rules", default=RULES, help="with up and run: what is confirmed, as docs/confirmations.md has it"
    )
    parser.add_argument("--origins", default="", help="with up and run: whose pages may call the API, AllowedOrigins")
    parser.add_argument("--folder", type=Path, help="with export and verify: what is exported; default: STATE/export")
    parser.add_argument("--deployed", action="store_true", help="with export: the ledger that the environment names")
    parser.add_argument("--stack-name", default="wallet", help="with deploy: the stack's name in its account")
    parser.add_argument("--confirm", choices=("yes", "no"), default="yes", help="with deploy: whether to ask first")
    parser.add_argument("--force", action="store_true", help="with reset: without asking")
    parser.add_argument("--given", default="", help="with deploy: parameters, Name=value 'Name=two words' file://…")
    parser.add_argument("--python", help="with deploy: what the functions run on; default: Lambda's")
    given = parser.parse_args(arguments)
    state = State(given.state.absolute())
    usual = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in usual.items():
        if handler is not signal.SIG_IGN:  # as by nohup
            signal.signal(number, _interrupt)
    try:
        return _do_and_print(state, given)
    except LocalStackError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        if not nobody_reads():
            raise
        if given.command not in _STARTING or stack.is_up(state):
            return 0
        print("\nended, as nobody reads what it prints: no stack is up", file=sys.stderr)
        return 1
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        if nobody_reads():  # what has not been printed yet would fail at the very end
            print_nowhere(1)


def _do_and_print(state: State, given: argparse.Namespace) -> int:
    status = _do(state, given)
    sys.stdout.flush()  # here whoever reads may be gone, and not at the very end
    return status


def _do(state: State, given: argparse.Namespace) -> int:
    if given.command == "deploy":
        return _deploy(state, given)
    if given.command in _WITH_PARAMETERS:
        return _WITH_PARAMETERS[given.command](state, given)
    if given.command == "reset":
        return _reset(state, force=given.force)
    if given.command in _WITH_A_FOLDER:
        folder = given.folder or state.folder / "export"
        return _WITH_A_FOLDER[given.command](state, folder, deployed=given.deployed)
    if given.command in _STARTING:
        if given.gateway not in GATEWAYS:
            raise LocalStackError(f"There is no GATEWAY={given.gateway}; there are: {', '.join(GATEWAYS)}.")
        _require_rules(given.rules)
        _require_origins(given.origins)
        by = Detours(parameters={"AllowedOrigins": given.origins})
        return _STARTING[given.command](state, given.gateway, given.rules, by)
    return _COMMANDS[given.command](state)


def _require_rules(setting: str) -> None:
    """Before anything is started: a deployment would tell only much later."""
    sys.path.insert(0, str(ROOT / "layers"))  # which rules there are is the wallet's own business
    from wallet.confirmations.model import ConfirmationRules  # noqa: PLC0415 - as it says

    try:
        ConfirmationRules.read(setting)
    except ValueError as error:
        raise LocalStackError(f"CONFIRMATION_RULES: {error}.") from error


def _require_origins(setting: str) -> None:
    """As the template wants them, before anything is started."""
    if not re.fullmatch(read(ROOT / "template.yaml")["Parameters"]["AllowedOrigins"]["AllowedPattern"], setting):
        raise LocalStackError(
            "ALLOWED_ORIGINS: origins as browsers write them, like https://app.example or http://localhost:5173, "
            "with commas between."
        )


def _deploy(state: State, given: argparse.Namespace) -> int:
    from local.release import release  # noqa: PLC0415 - the other commands don't need it

    more = {"python": given.python} if given.python else {}
    with state.alone("release"):
        return release(state, given.stack_name, given.given, confirm=given.confirm == "yes", **more)


def _interrupt(received: int, _: object) -> None:
    """A `kill` and the end of the terminal end this as Ctrl-C does: with everything cleaned up, and only once."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)
    if received == signal.SIGHUP:
        hang_up()
    raise KeyboardInterrupt


def _up(state: State, gateway: str, rules: str, by: Detours) -> int:
    content = stack.up(state, gateway, by, rules=rules)
    _say_where(content)
    print(f"All addresses and secrets: {state.stack_file}")
    print(f"What is confirmed: {rules} (docs/confirmations.md). Other rules than before hold after ten minutes.")
    return 0


def _say_where(content: Mapping[str, Any]) -> None:
    print(f"\nThe wallet: {content['web_url']}/")
    print(f"A phone to try it with, its text messages and its UPI app: {content['gateway_url']}/")
    print(f"The documentation: {content['web_url']}/docs/   The API: {content['web_url']}/v1")


def _down(state: State) -> int:
    stack.down(state)
    print("Nothing runs. Data stays for the next time.")
    return 0


def _reset(state: State, *, force: bool) -> int:
    if not stack.has_data(state):
        print(f"There is nothing to delete in {state.folder}.")
        return 0
    if not force:
        print(f"This ends the stack in {state.folder} and deletes its data:")
        print("the ledger, its checkpoints and their key, and what the gateway simulator knows of it.")
        try:
            answer = input("Type yes to go on: ")
        except EOFError:
            raise LocalStackError("there is nobody to ask: FORCE=1 goes on without") from None
        if answer.strip() != "yes":
            print("Nothing was changed.")
            return 1
    stack.reset(state)
    print("Nothing runs, and the data is deleted. make up begins anew.")
    return 0


def _run(state: State, gateway: str, rules: str, by: Detours) -> int:
    if stack.is_up(state):
        raise LocalStackError(
            f"A stack is up in {state.folder}: `make walk` walks the money path on it, `make down` ends it."
        )
    content = stack.up(state, gateway, by, rules=rules)
    is_ours = True
    _say_where(content)
    try:
        if (failed := _walk(state)) != 0:
            return failed
        _say_where(content)
        print("Ctrl-C ends it.", flush=True)
        while stack.is_up(state):
            time.sleep(1)
        is_ours = not stack.was_ended(state)
        raise LocalStackError(stack.what_ended(state) if is_ours else "The stack was ended by another command.")
    except KeyboardInterrupt:
        print("\nEnding everything, and saving it …", flush=True)
        return 0
    finally:
        if is_ours:
            _down(state)


def _walk(state: State) -> int:
    from local import walk  # noqa: PLC0415 - the other commands don't need it

    return walk.walk(stack.read(state))


def _status(state: State) -> int:
    for name, line in stack.status(state).items():
        print(f"  {name:<18}{line}")
    return 0 if stack.is_up(state) else 1


def _sam_local(state: State) -> int:
    from local import sam_local  # noqa: PLC0415

    return sam_local.run(state)


def _operator(state: State, given: argparse.Namespace) -> int:
    """Sends commands to the stack that is up, as one of its operators, and prints the answers; 0 if none is refused."""
    from local.operators import send  # noqa: PLC0415

    for command in given.parameters:
        _check_is_command(command)
    answers = [
        send(stack.read(state), command, operator=given.operator, role=given.role or None)
        for command in given.parameters
    ]
    for answer in answers:
        print(json.dumps(answer.json(), indent=2, ensure_ascii=False))
    return 0 if all(answer.status < _REFUSED for answer in answers) else 1


def _webhook(state: State, given: argparse.Namespace) -> int:
    """Has a merchant's events sent to an address, and prints what they are verified with."""
    from local.merchant_webhooks import connect  # noqa: PLC0415

    wallet_and_url = 2
    if len(given.parameters) != wallet_and_url or not all(given.parameters):
        raise LocalStackError("As here: make webhook WALLET=wal_… URL=http://127.0.0.1:9000/wallet")
    print(connect(stack.read(state), *given.parameters).secret)
    return 0


def _check_is_command(text: str) -> None:
    """What a shell has left of a command: quotes are eaten easily, and the function would not know what was typed."""
    example = """make operator COMMAND='{"command": "pending"}'"""
    try:
        command = json.loads(text)
    except ValueError as error:
        raise LocalStackError(f"COMMAND is no JSON ({error}): {text}\nAs here: {example}") from None
    if not isinstance(command, dict):
        raise LocalStackError(f"COMMAND is no JSON object: {text}\nAs here: {example}")


def _audit(state: State) -> int:
    from local import evidence  # noqa: PLC0415

    return evidence.audit(stack.read(state))


def _export(state: State, folder: Path, *, deployed: bool) -> int:
    """Writes what a stranger needs; of a deployed stack the ledger alone, as the rest is its owner's to fetch."""
    sys.path.insert(0, str(ROOT / "layers"))  # reading the ledger is the wallet's own business
    from local import exporting  # noqa: PLC0415

    return exporting.deployed(folder) if deployed else exporting.export(stack.read(state), folder)


def _verify(_: State, folder: Path, *, deployed: bool) -> int:  # noqa: ARG001 - it is in the folder, whatever it is of
    from local import evidence  # noqa: PLC0415

    return evidence.verify(folder)


_STARTING = {"up": _up, "run": _run}
_COMMANDS = {
    "down": _down,
    "walk": _walk,
    "status": _status,
    "audit": _audit,
    "sam-local": _sam_local,
}
_WITH_PARAMETERS = {"operator": _operator, "webhook": _webhook}
_WITH_A_FOLDER = {"export": _export, "verify": _verify}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
