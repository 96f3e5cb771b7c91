"""An event bus that takes everything, a fixed time after it was asked: EventBridge's PutEvents over HTTP."""

import asyncio
import json
import multiprocessing
from multiprocessing.connection import Connection
from typing import Self


class SlowBus:
    """A process of its own that answers each call after `answers_in_s`; `url` is where."""

    def __init__(self, answers_in_s: float) -> None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(answers_in_s, theirs), daemon=True)
        self._process.start()
        self.url = f"http://127.0.0.1:{ours.recv()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def _serve(answers_in_s: float, told: Connection) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            asked = json.loads(await reader.readexactly(int(fields["Content-Length"])))
            await asyncio.sleep(answers_in_s)
            body = json.dumps({"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in asked["Entries"]]}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
                + f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            await writer.drain()
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return ""
