"""All of it, in order: up, down, what runs."""

import contextlib
import json
import shutil
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from local import consistency, database, detours, doctor, front, ports
from local.aws import Emulator
from local.build import build_here
from local.database import PrivateServer
from local.deploy import RAZORPAY, RULES, STACK, Deployed, account_id, deploy, gateway_key, payout_webhook_secret
from local.detours import Detours
from local.operators import make_people
from local.processes import Daemon, LocalStackError, undisturbed
from local.site import about_the_operator, addresses, build_site, send_site
from local.state import ROOT, State

_START_S = 20
_FEW = 4
# of a stack, and its emulator saves its state before
_END_S = 120
_DAEMONS = ("ministack", "gateway", "front")
# what a stack has in its folder, but for what was built, which can be built again
_DATA = ("ministack", "mysql", "gateway", "chosen.json", "stack.json", "sam-local.json", "export", "logs", "tmp")


def up(
    state: State,
    gateway: str = RAZORPAY,
    by: Detours = detours.NONE,
    *,
    rules: str = RULES,
    options: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """Starts what doesn't run, builds and deploys what has changed; what `stack.json` then holds.

    `gateway` is the protocol that top-ups go by; the simulator speaks each. `by` is how the functions reach the rest,
    `rules` what is confirmed, `options` are the database server's.
    """
    doctor.require(state)
    with state.alone():
        was_up = is_up(state)
        try:
            return _up(state, PrivateServer(state.folder / "mysql", options=options), gateway, rules, by)
        except BaseException:
            # what ran before goes on running, but a stack that never came up leaves nothing behind
            if not was_up:
                _stop_everything(state)
            raise


def down(state: State) -> None:
    """Ends everything of this stack, whoever started it. Data stays."""
    if state.folder.exists():
        with state.alone():
            _stop_everything(state)


def reset(state: State) -> None:
    """Ends everything of this stack and deletes its data."""
    if state.folder.exists():
        with state.alone():
            _stop_everything(state)
            for name in _DATA:
                path = state.folder / name
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)


def has_data(state: State) -> bool:
    """Whether there is something for `reset` to delete."""
    return any((state.folder / name).exists() for name in _DATA)


def is_up(state: State) -> bool:
    """Whether the stack's programs run and it was deployed."""
    daemons_run = all(state.daemon(name).pid() is not None for name in _DAEMONS)
    return state.stack_file.exists() and daemons_run and database.runs(state.folder / "mysql")


def read(state: State) -> dict[str, Any]:
    """What `up` wrote for clients."""
    if not is_up(state):
        raise LocalStackError(f"no stack is up in {state.folder}: make up")
    content: dict[str, Any] = json.loads(state.stack_file.read_text())
    return content


def status(state: State) -> dict[str, str]:
    """A line for each program."""
    running = {name: state.daemon(name).pid() for name in _DAEMONS}
    lines = {name: f"runs, process {pid}" if pid else "does not run" for name, pid in running.items()}
    lines["database"] = "runs" if database.runs(state.folder / "mysql") else "does not run"
    if is_up(state):
        content = read(state)
        lines["front"] += f", {content['web_url']}"
        lines["api"] = content["api_url"]
        lines["gateway"] += f", {content['gateway']} at {content['gateway_url']}"
        lines["database"] += f", {content['mysql']['host']}:{content['mysql']['port']}"
    return lines


def was_ended(state: State) -> bool:
    """Whether another command has ended a stack that is no longer up; while it is at that, this waits."""
    with state.alone(patience_s=_END_S):
        return not state.stack_file.exists()


def what_ended(state: State) -> str:
    """Which of a stack's programs no longer run, and where each has said why."""
    daemons = [state.daemon(name) for name in _DAEMONS] + database.daemons(state.folder / "mysql")
    ended = [daemon for daemon in daemons if daemon.pid() is None]
    return "\n".join(f"{daemon.name} has ended by itself: see {daemon.log_file}" for daemon in ended)


def _up(state: State, server: PrivateServer, gateway: str, rules: str, by: Detours) -> dict[str, Any]:
    with _step("database") as say:
        server.ensure()
        say(f"{server.program.flavour} {server.program.version} on {server.host}:{server.port}")
    with _step("AWS emulator") as say:
        emulator = Emulator(state, _port(state, "ministack"), by.environment)
        anew = consistency.begin_anew_if_unfinished(server, emulator)
        emulator.ensure()
        consistency.require(server, emulator)
        say(
            f"MiniStack on {emulator.url}"
            + (", begun anew: an earlier start was ended before it was done" if anew else "")
        )
    with _step("gateway simulator") as say:
        gateway_url = _start_gateway(state)
        say(gateway_url)
    with _step("build") as say:
        build = build_here(state)
        site, is_new = build_site(state)
        changed = (*("the site" for _ in range(is_new)), *build.changed)
        say(", ".join(changed[:_FEW]) + " …" * (len(changed) > _FEW) or "nothing changed")
    with _step("deployment") as say:
        web_url, what_to_say = site_address(state)
        deployed = deploy(
            state,
            emulator,
            server,
            build=build,
            gateway=gateway,
            gateway_url=gateway_url,
            web_url=web_url,
            site_addresses=addresses(site),
            rules=rules,
            by=by,
        )
        told = about_the_operator(emulator.parameters(STACK), simulator_url=gateway_url)
        sent = send_site(emulator.s3(), deployed.outputs["SiteBucketName"], site, told)
        _start_front(state, emulator, web_url, deployed)
        say("" if deployed.changed or sent else "nothing changed")
    with _step("saved to disk") as say:  # so that from here on nothing that is killed takes it along
        say("" if emulator.end_deployment() else "nothing changed")
    content = {"web_url": web_url, "gateway": gateway, **_describe(state, server, emulator, gateway_url, deployed)}
    point_webhooks(state, content, content["api_url"])
    state.write_json(state.stack_file, content)
    if what_to_say:
        print(what_to_say)
    return content


def _describe(
    state: State, server: PrivateServer, emulator: Emulator, gateway_url: str, deployed: Deployed
) -> dict[str, Any]:
    return {
        "api_url": deployed.api_url,
        "gateway_url": gateway_url,
        "webhook_secret": deployed.webhook_secrets[0],
        "webhook_secrets": list(deployed.webhook_secrets),
        "payout_webhook_secret": payout_webhook_secret(state),
        "account_id": account_id(state),
        "mysql": {
            "host": server.host,
            "port": server.port,
            "user": server.owner_user,
            "password": server.owner_password,
            "database": server.database,
            "ca": server.ca_pem,
            "server": f"{server.program.flavour} {server.program.version}",
        },
        "aws_endpoint_url": emulator.url,
        "functions": {
            name.removesuffix("FunctionName").lower(): value
            for name, value in deployed.outputs.items()
            if name.endswith("FunctionName")
        },
        "operators": make_people(emulator.url),
        "token_secret": deployed.outputs["TokenSecretArn"],
        "idempotency_table": deployed.outputs["IdempotencyTableName"],
        "checkpoint_bucket": deployed.outputs["CheckpointBucketName"],
        "checkpoint_key": deployed.outputs["CheckpointKeyArn"],
        "event_bus": deployed.outputs["EventBusName"],
    }


def _port(state: State, name: str) -> int:
    """The port of a daemon that runs, else a free one."""
    last = state.last_port(name)
    return state.port(name) if last is None or state.daemon(name).pid() is None else last


def site_address(state: State) -> tuple[str, str]:
    """The site's address, and what is to be said of it: something if it is another one than last time."""
    last = state.last_port("front")
    url = f"http://localhost:{_port(state, 'front')}"
    if last is None or url == (before := f"http://localhost:{last}"):
        return url, ""
    return url, (
        f"\nAnother program has port {last}, so the wallet is no longer at {before} but at {url}.\n"
        f"Bookmarks and links lead to the old address; what browsers keep of a payment under way stays with it, too.\n"
        f"Passkeys are of localhost, whatever the port."
    )


def _start_gateway(state: State) -> str:
    port = _port(state, "gateway")
    url = f"http://{ports.HOST}:{port}"
    key = gateway_key(state)
    _start(
        state.daemon("gateway"),
        [
            *("local.gateway", "--host", ports.HOST, "--port", str(port)),
            *("--state", str(state.folder / "gateway"), "--key-id", key["key_id"]),
            *("--account-id", account_id(state)),
        ],
        environment={**state.environment(), "GATEWAY_KEY_SECRET": key["key_secret"]},
        healthy_at=f"{url}/healthz",
    )
    return url


def _start_front(state: State, emulator: Emulator, url: str, deployed: Deployed) -> None:
    """What hands on to a distribution that is no more says another name than the one that there is."""
    port, distribution = url.rpartition(":")[2], deployed.outputs["SiteDomainName"]
    _start(
        state.daemon("front"),
        ["local.front", "--port", port, "--distribution", distribution, "--upstream", str(emulator.port)],
        environment=state.environment(),
        healthy_at=f"{url}{front.HEALTH}",
        answer=distribution,
    )


def _start(
    daemon: Daemon, module: list[str], *, environment: dict[str, str], healthy_at: str, answer: str = ""
) -> None:
    """Starts one of our own servers unless it runs, and waits until it answers; with `answer` in what it says."""
    if daemon.pid() is not None and _healthy(healthy_at, answer):
        return
    daemon.stop(patience_s=5)
    daemon.start([sys.executable, "-m", *module], environment=environment, folder=ROOT)
    deadline = time.monotonic() + _START_S
    while not _healthy(healthy_at, answer):
        if daemon.pid() is None or time.monotonic() > deadline:
            raise LocalStackError(f"{daemon.name} did not start:\n{daemon.last_words()}")
        time.sleep(0.05)


def _healthy(url: str, answer: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as said:
            return int(said.status) == 200 and answer in said.read().decode()
    except OSError:
        return False


def point_webhooks(state: State, content: dict[str, Any], api_url: str) -> None:
    """Tells the gateway where its events go, as a merchant does on the gateway's own pages."""
    for channel, secret in (
        (content["gateway"], content["webhook_secret"]),
        ("razorpayx", content["payout_webhook_secret"]),
    ):
        told = {"url": f"{api_url}/webhooks/{channel}", "secret": secret, "channel": channel}
        _aim_webhooks(state, content, told)


def _aim_webhooks(state: State, content: dict[str, Any], told: dict[str, str]) -> None:
    request = urllib.request.Request(
        f"{content['gateway_url']}/simulator/webhook",
        data=json.dumps(told).encode(),
        headers={"Content-Type": "application/json"},
        method="PUT",
    )
    try:
        urllib.request.urlopen(request, timeout=5).close()
    except OSError as error:
        end = state.daemon("gateway").last_words()
        raise LocalStackError(f"the gateway simulator took no webhook address: {error}\n{end}") from error


def _stop_everything(state: State) -> None:
    with undisturbed():
        state.stack_file.unlink(missing_ok=True)
        state.daemon("sam-local").stop(patience_s=10)
        state.daemon("front").stop(patience_s=5)
        state.daemon("gateway").stop(patience_s=5)
        Emulator(state, 0).stop()
        database.stop_all(state.folder / "mysql")
        # what killed functions left behind
        shutil.rmtree(state.folder / "tmp", ignore_errors=True)


class _Say:
    """Collects what there is to add to a step's line."""

    def __init__(self) -> None:
        self.text = ""

    def __call__(self, text: str) -> None:
        self.text = text


@contextlib.contextmanager
def _step(name: str) -> Iterator[_Say]:
    """One line for each step: its name at once, what came of it and the seconds when it is done."""
    print(f"  {name:<18}", end="", flush=True)
    started, say = time.monotonic(), _Say()
    try:
        yield say
    except BaseException:
        with contextlib.suppress(BrokenPipeError):  # why it failed is what counts
            print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:5.1f} s  {say.text}", flush=True)
