"""Secrets Manager and DynamoDB for functions that tests run themselves: moto's server, with what the template makes."""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import boto3
from moto.server import ThreadedMotoServer

TABLE = "idempotency"
BUCKET = "statements"
TOKEN_SECRET = "s" * 64
REGION = "ap-south-1"


class Cloud:
    """A server for one test session; `url` is where functions find it."""

    def __init__(self, secrets: Mapping[str, object]) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._secrets = secrets

    def __enter__(self) -> Self:
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        manager: Any = self.client("secretsmanager")
        for name, value in self._secrets.items():
            manager.create_secret(Name=name, SecretString=value if isinstance(value, str) else json.dumps(value))
        self.client("dynamodb").create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def client(self, service: Any) -> Any:
        """A client of the server."""
        session = boto3.Session("test", "test", region_name=REGION)
        return session.client(service, endpoint_url=self.url)

    def environment(self, *, url: str | None = None) -> dict[str, str]:
        """What functions need to find it, by way of `url` if one is given."""
        return {
            "AWS_ENDPOINT_URL": url or self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
