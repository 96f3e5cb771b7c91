"""The shape of the code: who may import whom, and what stands where."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.calls import FUNCTIONS, ROOT

WALLET = ROOT / "layers" / "wallet"
MODULES = sorted(WALLET.rglob("*.py"))
DOORS = sorted(FUNCTIONS.glob("*/app.py"))
SCHEMA = sorted((ROOT / "schema").glob("*.py"))
SHIPPED = [*MODULES, *DOORS, *SCHEMA]

LEDGER, STORAGE, GATEWAYS = "wallet.ledger", "wallet.storage", "wallet.gateways"
CHANNELS, PAYEES, PAYMENT_REQUESTS = "wallet.channels", "wallet.payees", "wallet.payment_requests"
MOVEMENTS, IDENTITY, EDGE = "wallet.movements", "wallet.identity", "wallet.edge"
OPERATORS, CONFIRMATIONS, PASSKEYS = "wallet.operators", "wallet.confirmations", "wallet.passkeys"
PREVIEWS, MERCHANT_WEBHOOKS = "wallet.previews", "wallet.merchant_webhooks"

# What each part may import of ours, beside itself.
BELOW = {
    LEDGER: (),
    STORAGE: (LEDGER,),
    GATEWAYS: (LEDGER,),
    CHANNELS: (),
    MOVEMENTS: (STORAGE, GATEWAYS, CHANNELS, LEDGER),
    # a code goes out by a channel
    IDENTITY: (STORAGE, GATEWAYS, CHANNELS, LEDGER),
    OPERATORS: (STORAGE, LEDGER),
    PAYEES: (STORAGE, LEDGER),
    PAYMENT_REQUESTS: (IDENTITY, PAYEES, STORAGE, LEDGER),
    # a code that confirms is made and sent as one that proves a phone
    CONFIRMATIONS: (IDENTITY, STORAGE, CHANNELS, LEDGER),
    PASSKEYS: (IDENTITY, STORAGE, LEDGER),
    # what would be confirmed is by the rules of confirmations
    PREVIEWS: (CONFIRMATIONS, STORAGE, LEDGER),
    MERCHANT_WEBHOOKS: (CHANNELS, LEDGER),
    # of channels it knows how they fail, for the answer
    EDGE: (
        *(CONFIRMATIONS, PASSKEYS, IDENTITY, OPERATORS, MOVEMENTS, PAYMENT_REQUESTS, PAYEES, PREVIEWS),
        *(STORAGE, GATEWAYS, CHANNELS, LEDGER),
        "wallet.aws",
    ),
    "wallet.aws": (),
}

# Seconds, never money. Any other float in what is shipped is a mistake.
FLOATS = {
    "layers/wallet/aws.py": "ages of remembered secrets, seconds",
    "layers/wallet/storage/database.py": "patience and jitter between tries, seconds",
    "layers/wallet/gateways/exchange.py": "pauses, seconds",
    "layers/wallet/gateways/http.py": "timeouts, seconds",
    "layers/wallet/merchant_webhooks/client.py": "timeouts, seconds",
    "layers/wallet/movements/rounds.py": "shares of a run's time",
    "layers/wallet/edge/requests.py": "when a token ends, seconds since 1970",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever it stands; `from wallet.ledger import ids` is two names."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}: relative imports hide which way they point"
            module = node.module or ""
            found |= {f"{module}.{alias.name}" for alias in node.names} if module == "wallet" else {module}
    return found


def within(module: str, part: str) -> bool:
    return module == part or module.startswith(f"{part}.")


def parts() -> Iterator[tuple[str, Path]]:
    for path in MODULES:
        relative = path.relative_to(WALLET)
        if relative.parts[0] in ("wiring.py", "__init__.py"):
            continue
        yield f"wallet.{relative.parts[0].removesuffix('.py')}", path


@pytest.mark.parametrize(("part", "path"), [pytest.param(*case, id=name_of(case[1])) for case in parts()])
def test_imports_point_downwards_only(part: str, path: Path) -> None:
    ours = {module for module in imports(path) if within(module, "wallet")}
    allowed = (part, *BELOW[part])
    assert {module for module in ours if not any(within(module, below) for below in allowed)} == set()


# The files of a capability's package, each of which may import of those before it.
LAYERS = ("model", "store", "service")
LAYERED = sorted(
    path.parent
    for path in WALLET.rglob("service.py")
    if all((path.parent / f"{layer}.py").exists() for layer in LAYERS)
)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("package", LAYERED, ids=name_of)
def test_in_a_package_imports_point_from_the_service_to_the_store_to_the_model(package: Path, layer: str) -> None:
    """Its own and every other's: what decides is a service's, what is written a store's, and a model knows neither."""
    packages = [".".join(("wallet", *one.relative_to(WALLET).parts)) for one in LAYERED]
    allowed = {"model", *LAYERS[: LAYERS.index(layer)]}
    named = imports(package / f"{layer}.py") | _names_from_packages(package / f"{layer}.py", packages)
    layers = {module.rpartition(".")[2] for module in named if module.rpartition(".")[0] in packages}
    assert layers <= allowed
    if layer == "model":
        assert not {module for module in named if within(module, STORAGE)}


def _names_from_packages(path: Path, packages: list[str]) -> set[str]:
    """The layers that a file imports as `from wallet.identity.sessions import store`."""
    return {
        f"{node.module}.{alias.name}"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module in packages
        for alias in node.names
    }


def test_there_are_packages_of_three_layers() -> None:
    assert {package.name for package in LAYERED} >= {"accounts", "phone_proofs", "sessions"}


@pytest.mark.parametrize("path", sorted((WALLET / "ledger").glob("*.py")), ids=name_of)
def test_the_ledger_needs_nothing_but_the_standard_library(path: Path) -> None:
    foreign = {module.partition(".")[0] for module in imports(path)} - sys.stdlib_module_names
    assert foreign <= {"wallet"}


@pytest.mark.parametrize("path", sorted((WALLET / "ledger").glob("*.py")), ids=name_of)
def test_the_ledger_has_no_clock_no_dice_and_no_outside(path: Path) -> None:
    impure = {"time", "random", "secrets", "os", "io", "socket", "threading", "subprocess", "logging", "pathlib"}
    assert {module.partition(".")[0] for module in imports(path)} & impure == set()


def test_wiring_is_imported_by_doors_and_migrations_only() -> None:
    users = {name_of(path) for path in SHIPPED if "wallet.wiring" in imports(path)}
    assert users <= {*map(name_of, DOORS), "schema/migrate.py"}


def test_pymysql_is_spoken_in_storage_and_the_migrations_only() -> None:
    users = {
        name_of(path)
        for path in SHIPPED
        for module in imports(path)
        if within(module, "pymysql") and not _only_for_types(path, "pymysql")
    }
    assert users <= {"layers/wallet/storage/database.py", "schema/migrate.py"}


def _only_for_types(path: Path, module: str) -> bool:
    """Whether a file imports a module under TYPE_CHECKING alone, which at run time is not at all."""
    guarded = [
        inner
        for node in ast.walk(tree(path))
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    ]
    told = [ast.dump(node) for node in ast.walk(tree(path)) if _names(node, module)]
    return len(told) == len([node for node in guarded if _names(node, module)])


def _names(node: ast.AST, module: str) -> bool:
    if isinstance(node, ast.Import):
        return any(within(alias.name, module) for alias in node.names)
    return isinstance(node, ast.ImportFrom) and within(node.module or "", module)


def test_the_environment_is_read_in_wiring_only() -> None:
    readers = {
        name_of(path)
        for path in SHIPPED
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
    }
    # a deployment's own function asks which build it is before it imports anything of ours
    assert readers == {"layers/wallet/wiring.py", "schema/deployment.py"}


def test_nothing_happens_at_import() -> None:
    """No environment, no socket, no client of AWS, and no module that needs another to be imported before it."""
    probe = """
import importlib, json, os, socket, sys

def refuse(*_, **__):
    raise AssertionError("something happens at import")

os.environ.clear()
for name in ("__init__", "connect", "bind"):
    setattr(socket.socket, name, refuse)
socket.getaddrinfo = refuse
import botocore.session
botocore.session.Session.create_client = refuse

faults = {}
for name in json.loads(sys.stdin.read()):
    for known in [known for known in sys.modules if known == "wallet" or known.startswith("wallet.")]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except BaseException as fault:
        faults[name] = repr(fault)
print(json.dumps(faults))
"""
    names = [".".join(path.relative_to(WALLET.parent).with_suffix("").parts) for path in MODULES]
    found = subprocess.run(
        [sys.executable, "-c", probe],
        input=json.dumps([name.removesuffix(".__init__") for name in names]),
        env={"PYTHONPATH": str(WALLET.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(found.stdout) == {}


def test_what_every_door_reads_brings_in_nothing_that_few_need() -> None:
    """Each start of each function pays for it: texts of messages, channels, passkeys, confirmations."""
    few = ["wallet.ledger.notices", "wallet.channels.port", "wallet.passkeys", "wallet.confirmations"]
    probe = "import json, sys, wallet.edge.bodies; print(json.dumps(sorted(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", probe],
        env={"PYTHONPATH": str(WALLET.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = json.loads(found.stdout)
    assert "wallet.edge.bodies" in imported
    assert [name for name in imported if any(within(name, one) for one in few)] == []


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_there_is_no_float_but_for_seconds(path: Path) -> None:
    floats = [
        node.lineno
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float")
    ]
    assert not floats or name_of(path) in FLOATS


def test_every_file_that_may_have_floats_has_some() -> None:
    assert all(re.search(r"\bfloat\(|[0-9]\.[0-9]", (ROOT / name).read_text()) for name in FLOATS)


@pytest.mark.parametrize("path", [path for part, path in parts() if part in (LEDGER, MOVEMENTS, STORAGE)], ids=name_of)
def test_money_is_never_divided(path: Path) -> None:
    divided = [
        node
        for node in ast.walk(tree(path))
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
    ]
    assert divided == []


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_decimal_and_fractions_are_no_money_either(path: Path) -> None:
    assert imports(path) & {"decimal", "fractions"} == set()


def catching_everything() -> Iterator[tuple[str, bool]]:
    """Files that catch whatever comes, and whether they pass it on."""
    for path in SHIPPED:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            ):
                last = node.body[-1]
                yield name_of(path), isinstance(last, ast.Raise) and last.exc is None


def test_everything_ends_at_the_edge_only() -> None:
    assert {name for name, passed_on in catching_everything() if not passed_on} == {
        "layers/wallet/edge/door.py",
        "schema/deployment.py",  # which tells CloudFormation
    }


def test_who_looks_at_everything_in_passing_is_known() -> None:
    assert {name for name, passed_on in catching_everything() if passed_on} == {
        "layers/wallet/edge/idempotency.py",  # to tell its refusal from Powertools' own errors
        "layers/wallet/gateways/http.py",  # to drop a connection whose answer was not read
    }


@pytest.mark.parametrize("path", [path for path in DOORS if path.parent.name != "authorizer"], ids=name_of)
def test_a_door_catches_nothing(path: Path) -> None:
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.Try | ast.TryStar)]


@pytest.mark.parametrize("path", DOORS, ids=name_of)
def test_a_door_is_small_and_knows_no_sql(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    # DELETE before a path is a route's method
    assert not re.search(r"\b(SELECT|INSERT|UPDATE|DELETE(?! /)|CALL)\b", text)


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_every_ignore_carries_its_reason(path: Path) -> None:
    bare = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"#\s*noqa", line) and not re.search(r"# noqa: [A-Z0-9, ]+ - \S", line)
    ] + [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if "type: ignore" in line and not re.search(r"# type: ignore\[[a-z-]+\]  # \S", line)
    ]
    assert bare == []
