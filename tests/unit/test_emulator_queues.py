"""Moving what was given up in the emulator's queues, as AWS does."""

from typing import Any

import pytest
from ministack.services import sqs

from local.emulator_queues import start_message_move_task

Queue = dict[str, Any]


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> dict[str, Queue]:
    """A queue, the one for what it gave up, and another one, by their ARN."""
    known: dict[str, Queue] = {arn: {"messages": []} for arn in ("pending", "undelivered", "elsewhere")}
    monkeypatch.setattr(sqs, "_queue_by_arn", known.get)
    return known


def message(body: str, *, given_up_by: str | None, visible_at: float = 0.0) -> dict[str, Any]:
    """One that was received ten times."""
    system = {"SenderId": "somebody", **({"DeadLetterQueueSourceArn": given_up_by} if given_up_by else {})}
    received = {"receipt_handle": "r", "receive_count": 10, "first_receive_at": 1.0}
    return {"id": body, "body": body, "sent_at": 0.0, "visible_at": visible_at, "sys": system, **received}


def bodies(queue: Queue) -> list[str]:
    return [one["body"] for one in queue["messages"]]


def test_with_a_destination_everything_goes_there_as_if_it_were_new(queues: dict[str, Queue]) -> None:
    queues["undelivered"]["messages"] = [message("a", given_up_by="pending"), message("b", given_up_by=None)]
    start_message_move_task({"SourceArn": "undelivered", "DestinationArn": "elsewhere"}, "")
    assert (bodies(queues["undelivered"]), bodies(queues["elsewhere"])) == ([], ["a", "b"])
    for moved in queues["elsewhere"]["messages"]:
        assert (moved["receive_count"], moved["receipt_handle"], moved["first_receive_at"]) == (0, None, None)
        assert moved["id"] not in ("a", "b")
        assert moved["sent_at"] == moved["visible_at"] > 0
        assert "DeadLetterQueueSourceArn" not in moved["sys"]


def test_without_one_each_goes_back_to_where_it_was_given_up(queues: dict[str, Queue]) -> None:
    queues["undelivered"]["messages"] = [message("a", given_up_by="pending"), message("b", given_up_by=None)]
    start_message_move_task({"SourceArn": "undelivered"}, "")
    assert (bodies(queues["undelivered"]), bodies(queues["pending"])) == (["b"], ["a"])


def test_what_somebody_has_just_received_stays(queues: dict[str, Queue]) -> None:
    queues["undelivered"]["messages"] = [message("a", given_up_by="pending", visible_at=10.0**12)]
    start_message_move_task({"SourceArn": "undelivered", "DestinationArn": "pending"}, "")
    assert bodies(queues["pending"]) == []


@pytest.mark.parametrize("source", ["", "nowhere"])
@pytest.mark.usefixtures("queues")
def test_a_queue_that_is_not_there_is_an_error_of_the_callers(source: str) -> None:
    with pytest.raises(sqs._Err, match="There is no queue"):  # noqa: SLF001 - what the emulator makes an answer of
        start_message_move_task({"SourceArn": source}, "")
