"""What a stranger needs to make an audit of their own: the ledger, its checkpoints, the public key."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.invocation import session
from wallet import wiring
from wallet.storage.database import Credentials, Database, Server
from wallet.storage.exports import export_lines

_PREFIX = "checkpoints/"


def export(stack: Mapping[str, Any], folder: Path) -> int:
    """Writes all three of the stack on this machine to a folder, which then needs nothing of it."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / _PREFIX).mkdir(parents=True)
    endpoint = stack["aws_endpoint_url"]
    # before the ledger: a checkpoint that comes meanwhile is then not asked for, instead of finding nothing
    s3 = session().client("s3", endpoint_url=endpoint)
    bucket = stack["checkpoint_bucket"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=_PREFIX):
        for found in page.get("Contents", []):
            (folder / found["Key"]).write_bytes(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    kms = session().client("kms", endpoint_url=endpoint)
    (folder / "public-key.der").write_bytes(kms.get_public_key(KeyId=stack["checkpoint_key"])["PublicKey"])
    mysql = stack["mysql"]
    credentials = Credentials(mysql["user"], mysql["password"])
    server = Server(mysql["host"], mysql["port"], mysql["database"], mysql["ca"])
    _write(Database(server, lambda *, fresh: credentials, patience_s=300), folder)  # noqa: ARG005 - they never change
    return 0


def deployed(folder: Path) -> int:
    """Writes the ledger that the environment names, with the auditor's settings, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(wiring.patient_database(), folder)
    return 0


def _write(database: Database, folder: Path) -> None:
    path = folder / "ledger.jsonl"
    with path.open("wb") as file:
        for line in export_lines(database):
            file.write(line)
    print(path)
