"""The code that docs/events.md shows merchants: it reads what we send, and nothing else, in each language."""

import json
import re
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.calls import ROOT
from tests.unit.events import outbox_event, wallet
from wallet.ledger.events import told, told_to
from wallet.merchant_webhooks.model import Endpoint, Message, headers_of, key_of

DOCUMENT = (ROOT / "docs" / "events.md").read_text()
SECRET, OLD, OTHERS = (f"whsec_{b64encode(sign * 48).decode()}" for sign in (b"\x01", b"\xfe", b"\x00"))
EVENT = outbox_event()
MESSAGE = Message.read(json.dumps(told_to(EVENT, wallet(2), told(EVENT)), ensure_ascii=False), attempt=1)
EVENT = json.loads(MESSAGE.body)

#: headers, body, secret
Case = tuple[dict[str, str], bytes, str]
#: What a language's code makes of cases: the event of each, or None where it refused.
Run = Callable[[list[Case], Path], list[Any]]


def sent(*secrets: str, ago_s: int = 0) -> dict[str, str]:
    """The headers of an attempt, signed with each of the secrets."""
    endpoint = Endpoint("https://merchant.example/", [key_of(secret) for secret in secrets])
    return dict(headers_of(MESSAGE, endpoint, timestamp_s=int(time.time()) - ago_s))


def block(language: str) -> str:
    """The code in that language."""
    (found,) = [one for one in re.findall(rf"```{language}\n(.+?)```", DOCUMENT, re.DOTALL) if "webhook-id" in one]
    code: str = found
    return code


def python(cases: list[Case], _folder: Path) -> list[Any]:
    space: dict[str, Any] = {}
    exec(block("python"), space)  # noqa: S102 - our own document
    found: list[Any] = []
    for case in cases:
        try:
            found.append(space["read_webhook"](*case))
        except (KeyError, ValueError):
            found.append(None)
    return found


NODE = """
import { readFileSync } from "node:fs";
import { readWebhook } from "./webhook.mjs";
const read = ([headers, body, secret]) => {
  try { return readWebhook(headers, Buffer.from(body, "base64"), secret); } catch { return null; }
};
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map(read)));
"""


def node(cases: list[Case], folder: Path) -> list[Any]:
    (folder / "webhook.mjs").write_text(block("javascript"))
    (folder / "run.mjs").write_text(NODE)
    return answers(cases, folder, "node", "run.mjs")


PHP = """<?php
require 'webhook.php';
set_error_handler(fn (int $no, string $what) => throw new ErrorException($what));
echo json_encode(array_map(function (array $case) {
    try { return read_webhook($case[0], base64_decode($case[1]), $case[2]); } catch (Exception) { return null; }
}, json_decode(file_get_contents('php://stdin'), true)));
"""


def php(cases: list[Case], folder: Path) -> list[Any]:
    (folder / "webhook.php").write_text(block("php"))
    (folder / "run.php").write_text(PHP)
    return answers(cases, folder, "php", "run.php")


GO = """package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
)

func main() {
	var cases [][3]json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	found := []any{}
	for _, one := range cases {
		var told map[string]string
		var text, secret string
		json.Unmarshal(one[0], &told)
		json.Unmarshal(one[1], &text)
		json.Unmarshal(one[2], &secret)
		headers := http.Header{}
		for name, value := range told {
			headers.Set(name, value)
		}
		body, _ := base64.StdEncoding.DecodeString(text)
		var event any
		if err := readWebhook(headers, body, secret, &event); err != nil {
			event = nil
		}
		found = append(found, event)
	}
	json.NewEncoder(os.Stdout).Encode(found)
}
"""


def go(cases: list[Case], folder: Path) -> list[Any]:
    (folder / "webhook.go").write_text(block("go"))
    (folder / "run.go").write_text(GO)
    return answers(cases, folder, "go", "run", "webhook.go", "run.go")


def answers(cases: list[Case], folder: Path, program: str, *arguments: str) -> list[Any]:
    """What a program says of the cases that it reads as JSON, with bodies in base64."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"there is no {program} on this machine: docs/events.md's code in it was not run")
    told = json.dumps([(headers, b64encode(body).decode(), secret) for headers, body, secret in cases])
    ran = subprocess.run([found, *arguments], cwd=folder, input=told, capture_output=True, text=True, check=True)
    result: list[Any] = json.loads(ran.stdout)
    return result


languages = pytest.mark.parametrize("run", [python, node, php, go])


@languages
def test_the_documents_code_reads_what_we_send(run: Run, tmp_path: Path) -> None:
    good: list[Case] = [
        (sent(SECRET), MESSAGE.body, SECRET),
        (sent(SECRET), MESSAGE.body, SECRET.removeprefix("whsec_")),
        # while the secret changes, and one has either of them
        (sent(SECRET, OLD), MESSAGE.body, SECRET),
        (sent(SECRET, OLD), MESSAGE.body, OLD),
        (sent(SECRET, ago_s=290), MESSAGE.body, SECRET),
        # with a signature of a kind that the specification has, too, and we don't send
        (_signed(f"v1a,{b64encode(b'0' * 64).decode()} {sent(SECRET)['webhook-signature']}"), MESSAGE.body, SECRET),
    ]
    assert run(good, tmp_path) == [EVENT] * len(good)


@languages
def test_the_documents_code_refuses_a_forgery(run: Run, tmp_path: Path) -> None:
    right = sent(SECRET)
    signature = right["webhook-signature"]
    bad: list[Case] = [
        (right, MESSAGE.body, OTHERS),
        (sent(OTHERS), MESSAGE.body, SECRET),
        (right, MESSAGE.body.replace(b"PaymentCompleted", b"PaymentRefunded"), SECRET),
        (right, MESSAGE.body + b" ", SECRET),
        (right, b"", SECRET),
        (right | {"webhook-id": "evt_of_another"}, MESSAGE.body, SECRET),
        (right | {"webhook-timestamp": str(int(right["webhook-timestamp"]) + 1)}, MESSAGE.body, SECRET),
        # overheard, and sent again
        (sent(SECRET, ago_s=310), MESSAGE.body, SECRET),
        (sent(SECRET, ago_s=-310), MESSAGE.body, SECRET),
        *(
            (_signed(text), MESSAGE.body, SECRET)
            for text in ("", "v1,", signature[3:], signature.replace("v1,", "v2,"))
        ),
        (_signed(signature[:-4]), MESSAGE.body, SECRET),
        (right | {"webhook-timestamp": "soon"}, MESSAGE.body, SECRET),
    ]
    assert run(bad, tmp_path) == [None] * len(bad)


def _signed(text: str) -> dict[str, str]:
    """The headers of an attempt that is signed so."""
    return sent(SECRET) | {"webhook-signature": text}
