"""Payments' disputes (chargebacks), on a real server: reserved when told, booked once when ended, in any order."""

import random
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import moves
from tests.support.books import Books, Person, captured, unique
from tests.support.crowd import together
from tests.support.disputes import TopUp, booked, end, instruction, open_break, row, tell, then
from tests.support.operators import asked
from wallet import wiring
from wallet.ledger.disputes import DisputeNews, DisputePhase, DisputeStatus, ObservedDispute, weigh
from wallet.ledger.refunds import RefundNews, RefundStatus
from wallet.ledger.refusals import Refusal
from wallet.movements.payment_disputes import attach_disputes
from wallet.movements.refund_to_source import book_refund
from wallet.storage import dispute_views, inspection, operators, settlement, source_refunds
from wallet.storage.database import DatabaseBrokenError
from wallet.storage.source_refunds import Claimed

if TYPE_CHECKING:
    from collections.abc import Callable

NEW, KNOWN = DisputeNews.NEW, DisputeNews.KNOWN
REVERSAL = "chargeback_reversal"


@pytest.fixture
def asha(books: Books) -> Person:
    return books.person()


def stands(books: Books, person: Person) -> tuple[int, int]:
    """What is in a wallet, and what of it is held."""
    return books.balance(person), books.held(person)


def told(books: Books, person: Person) -> list[str]:
    rows = books.select("SELECT type FROM outbox WHERE wallet_id = %s ORDER BY position", person.wallet_id.bytes)
    return [one["type"] for one in rows if one["type"].startswith("TopUpDispute")]


def hear_refund(books: Books, *refunds: object) -> list[RefundNews]:
    with closing(books.as_role("gateway")) as gateway:
        return [book_refund(gateway, wiring.new_id, one) for one in refunds]  # type: ignore[arg-type]  # refunds


class TestNews:
    def test_the_first_news_reserve_what_is_available_up_to_what_is_disputed(self, books: Books, asha: Person) -> None:
        books.top_up(asha, 5_000)
        dispute = TopUp(books, asha, 1_000).disputed(600)
        assert tell(books, dispute) == [NEW]
        assert stands(books, asha) == (6_000, 600)
        assert open_break(books, dispute) == (600, 600)
        assert told(books, asha) == ["TopUpDisputed"]
        assert moves.refusal_of(lambda: moves.pay(books, asha, books.person(), 5_401)) is Refusal.INSUFFICIENT_FUNDS
        assert books.faults() == []

    def test_no_more_is_reserved_than_is_there(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000)
        moves.pay(books, asha, books.person(), 700)
        dispute = top_up.disputed()
        tell(books, dispute)
        assert stands(books, asha) == (300, 300)
        assert open_break(books, dispute) == (300, 1_000)
        assert books.faults() == []

    def test_later_news_reserve_what_was_missing(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000)
        moves.pay(books, asha, books.person(), 700)
        dispute = top_up.disputed()
        tell(books, dispute)
        books.top_up(asha, 2_000)
        assert stands(books, asha) == (2_300, 300)
        tell(books, then(dispute, "under_review"))
        assert stands(books, asha) == (2_300, 1_000)

    def test_a_hot_wallets_money_is_reserved_wherever_it_is(self, books: Books) -> None:
        shop = books.person(kind="merchant", tier="merchant")
        top_up = TopUp(books, shop, 1_000)
        payer = books.person(money=20_000)
        moves.pay(books, shop, payer, 1_000)
        books.spread(shop, 8)
        for _ in range(10):
            moves.pay(books, payer, shop, 200)
        dispute = top_up.disputed()
        tell(books, dispute)
        assert books.held(shop) == 1_000
        tell(books, then(dispute, "under_review"), then(dispute, "lost"))
        end(books, dispute, "lost_recovered")
        assert stands(books, shop) == (1_000, 0)
        assert books.faults() == []

    def test_the_same_news_again_and_old_news_change_nothing(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed(600)
        lost = then(dispute, "lost")
        assert tell(books, lost, dispute, lost, dispute) == [NEW, KNOWN, KNOWN, KNOWN]
        assert row(books, dispute)["status"] == "lost"
        assert stands(books, asha) == (1_000, 600)
        assert row(books, dispute)["changes"] == 1
        assert books.faults() == []

    def test_won_before_it_was_created_reserves_nothing(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        assert tell(books, then(dispute, "won"), dispute) == [NEW, KNOWN]
        assert (stands(books, asha), open_break(books, dispute), told(books, asha)) == ((1_000, 0), None, [])
        assert books.faults() == []

    @pytest.mark.parametrize("status", ["won", "closed"])
    def test_what_the_gateway_ends_without_a_loss_is_free_at_once(
        self, books: Books, asha: Person, status: str
    ) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        assert tell(books, dispute, then(dispute, status)) == [NEW, NEW]
        assert (stands(books, asha), open_break(books, dispute), booked(books, dispute)) == ((1_000, 0), None, [])
        assert told(books, asha) == ["TopUpDisputed", "TopUpDisputeEnded"]
        assert books.faults() == []

    def test_a_dispute_that_was_won_is_open_again_in_a_later_phase(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute, then(dispute, "won"))
        again = then(dispute, "open", phase=DisputePhase.PRE_ARBITRATION)
        assert tell(books, again) == [NEW]
        assert (stands(books, asha), open_break(books, dispute)) == ((1_000, 1_000), (1_000, 1_000))
        assert told(books, asha) == ["TopUpDisputed", "TopUpDisputeEnded", "TopUpDisputed"]
        assert books.faults() == []

    def test_a_gateway_may_ask_for_more_or_less_than_before(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed(300)
        tell(books, dispute, then(dispute, "under_review", amount=800))
        assert (books.held(asha), open_break(books, dispute)) == (800, (800, 800))
        tell(books, then(dispute, "lost", amount=100))
        assert (books.held(asha), open_break(books, dispute)) == (100, (100, 100))
        assert books.faults() == []

    def test_no_more_is_reserved_than_the_top_up_brought(self, books: Books, asha: Person) -> None:
        """A payer's surcharge is disputed too: it was never credited."""
        books.top_up(asha, 5_000)
        top_up = TopUp(books, asha, 1_000)
        first, second = top_up.disputed(700), top_up.disputed(1_180)
        tell(books, first, second)
        assert stands(books, asha) == (6_000, 1_000)
        assert (open_break(books, first), open_break(books, second)) == ((700, 700), (300, 1_180))
        tell(books, then(first, "won"), then(second, "under_review"))
        assert books.held(asha) == 1_000
        assert books.faults() == []

    def test_another_payment_or_currency_is_for_people(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000)
        dispute = top_up.disputed()
        assert tell(books, replace(dispute, currency="USD")) == [DisputeNews.MISMATCH]
        tell(books, dispute)
        other = then(dispute, "lost", payment_id=TopUp(books, asha, 1_000).payment.payment_id)
        assert tell(books, other, then(dispute, "lost", currency="USD")) == [DisputeNews.MISMATCH] * 2
        assert row(books, dispute)["status"] == "open"

    def test_two_ends_at_one_moment_are_for_people(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        won = then(dispute, "won")
        lost, closed = replace(won, status=DisputeStatus.LOST), replace(won, status=DisputeStatus.CLOSED)
        assert tell(books, dispute, won, lost, closed) == [NEW, NEW, DisputeNews.CONTRADICTED, KNOWN]
        assert row(books, dispute)["status"] == "won"

    def test_frozen_and_closed_wallets_are_disputed_too(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000)
        books.turn(asha, "frozen")
        dispute = top_up.disputed()
        tell(books, dispute, then(dispute, "lost"))
        assert books.held(asha) == 1_000
        end(books, dispute, "lost_recovered")
        assert stands(books, asha) == (0, 0)
        books.turn(asha, "closed")
        second = top_up.disputed(200)
        tell(books, second)
        assert (books.held(asha), open_break(books, second)) == (0, (0, 200))
        end(books, second, "lost_recovered")
        assert booked(books, second) == [("chargeback", "losses", "gateway", 200)]
        assert books.faults() == []

    def test_the_last_money_of_a_closing_wallet_closes_it(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        books.turn(asha, "closing")
        tell(books, dispute, then(dispute, "lost"))
        end(books, dispute, "lost_recovered")
        [wallet] = books.select("SELECT status FROM wallets WHERE id = %s", asha.wallet_id.bytes)
        assert wallet["status"] == "closed"
        tell(books, then(dispute, "won", phase=DisputePhase.ARBITRATION))
        end(books, dispute, "won")
        [wallet] = books.select("SELECT status, balance FROM wallets WHERE id = %s", asha.wallet_id.bytes)
        assert (wallet["status"], wallet["balance"]) == ("closing", 1_000), "an operator sees it"
        books.turn(asha, "active")
        assert books.faults() == []

    def test_a_payment_that_is_not_in_the_books_is_disputed_when_it_comes(self, books: Books, asha: Person) -> None:
        payment = captured(books.order(asha, 1_000), 1_000)
        dispute = replace(TopUp(books, books.person(), 1_000).disputed(), payment_id=payment.payment_id)
        assert tell(books, dispute) == [NEW]
        assert open_break(books, dispute) == (0, 1_000), "seen, though nobody knows the payment"
        with closing(books.as_role("gateway")) as gateway:
            attach_disputes(gateway, wiring.new_id)
            settlement.settle_payment(gateway, payment, transaction_id=wiring.new_id())
            attach_disputes(gateway, wiring.new_id)
            attach_disputes(gateway, wiring.new_id)
        assert (stands(books, asha), told(books, asha)) == ((1_000, 1_000), ["TopUpDisputed"])
        assert books.faults() == []

    def test_the_loss_of_an_unknown_payment_is_ours(self, books: Books, asha: Person) -> None:
        dispute = replace(TopUp(books, asha, 1_000).disputed(), payment_id=unique("pay_"))
        tell(books, dispute, then(dispute, "lost"))
        end(books, dispute, "lost_recovered")
        assert booked(books, dispute) == [("chargeback", "losses", "gateway", 1_000)]
        assert books.faults() == []

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from(list(DisputePhase)), st.sampled_from(list(DisputeStatus))),
            min_size=1,
            max_size=5,
        )
    )
    def test_the_kernel_weighs_news_as_the_rule_does(
        self, books: Books, news: list[tuple[int, DisputePhase, DisputeStatus]]
    ) -> None:
        first = TopUp(books, books.person(), 1_000).disputed()
        stored: ObservedDispute | None = None
        for seconds, phase, status in news:
            one = replace(first, phase=phase, status=status, told_at=first.told_at + timedelta(seconds=seconds))
            expected = NEW if stored is None else weigh(stored=stored, told=one)
            assert tell(books, one) == [expected]
            stored = one if expected is NEW else stored
            assert stored is not None
            assert row(books, first)["gateway_status"] == stored.status.value
        assert books.faults() == []


class TestEnds:
    def test_lost_and_recovered_debits_the_wallet(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute, then(dispute, "lost"))
        ended = end(books, dispute, "lost_recovered")
        assert (ended.from_wallet, ended.from_losses, ended.status) == (1_000, 0, "lost")
        assert booked(books, dispute) == [("chargeback", "wallet", "gateway", 1_000)]
        assert (stands(books, asha), open_break(books, dispute)) == ((0, 0), None)
        assert told(books, asha) == ["TopUpDisputed", "TopUpDisputeEnded"]
        assert books.faults() == []

    def test_lost_and_borne_by_us_leaves_the_wallet_alone(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute, then(dispute, "lost"))
        end(books, dispute, "lost_borne")
        assert booked(books, dispute) == [("chargeback", "losses", "gateway", 1_000)]
        assert (stands(books, asha), open_break(books, dispute)) == ((1_000, 0), None)
        assert books.faults() == []

    def test_what_the_wallet_does_not_cover_is_ours(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000)
        moves.pay(books, asha, books.person(), 900)
        dispute = top_up.disputed()
        tell(books, dispute, then(dispute, "lost"))
        books.top_up(asha, 300)
        end(books, dispute, "lost_recovered")
        assert booked(books, dispute) == [
            ("chargeback", "wallet", "gateway", 400),
            ("chargeback", "losses", "gateway", 600),
        ]
        assert stands(books, asha) == (0, 0)
        assert books.faults() == []

    def test_what_is_held_for_others_is_not_taken(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000)
        moves.place(books, asha, books.person(), 600)
        dispute = top_up.disputed()
        tell(books, dispute, then(dispute, "lost"))
        assert books.held(asha) == 1_000
        end(books, dispute, "lost_recovered")
        assert (stands(books, asha), booked(books, dispute)[0][3]) == ((600, 600), 400)
        assert books.faults() == []

    def test_an_operator_may_be_ahead_of_the_gateways_word(self, books: Books, asha: Person) -> None:
        """Its webhook may be lost."""
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute)
        end(books, dispute, "lost_recovered")
        assert tell(books, then(dispute, "lost")) == [NEW]
        assert (stands(books, asha), open_break(books, dispute)) == ((0, 0), None)
        second = TopUp(books, asha, 500).disputed()
        tell(books, second)
        end(books, second, "won")
        assert (stands(books, asha), open_break(books, second)) == ((500, 0), None)
        tell(books, then(second, "lost"))
        assert (stands(books, asha), open_break(books, second)) == ((500, 500), (500, 500)), "it is not over after all"
        assert books.faults() == []

    @pytest.mark.parametrize(
        ("word", "how"), [("won", "lost_borne"), ("won", "lost_recovered"), ("lost", "won"), ("closed", "lost_borne")]
    )
    def test_no_end_contradicts_the_gateways_last_word(self, books: Books, asha: Person, word: str, how: str) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute)
        if word != "lost":  # what was booked as lost and is won then is open until somebody reverses it
            end(books, dispute, "lost_recovered")
        tell(books, then(dispute, word))
        before = (stands(books, asha), booked(books, dispute))
        assert moves.refusal_of(lambda: end(books, dispute, how)) is Refusal.INVALID_REQUEST
        assert (stands(books, asha), booked(books, dispute)) == before

    def test_what_has_ended_is_not_ended_again(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute)
        end(books, dispute, "lost_borne")
        for how in ("lost_recovered", "lost_borne", "won"):
            assert moves.refusal_of(lambda how=how: end(books, dispute, how)) is Refusal.NOT_FOUND  # type: ignore[misc]
        assert len(booked(books, dispute)) == 1

    def test_the_same_key_ends_it_once(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute)
        key = unique("key-")
        assert end(books, dispute, "lost_recovered", key=key) == end(books, dispute, "lost_recovered", key=key)
        assert booked(books, dispute) == [("chargeback", "wallet", "gateway", 1_000)]
        refused = moves.refusal_of(lambda: end(books, dispute, "won", key=key))
        assert refused is Refusal.IDEMPOTENCY_KEY_REUSED

    @pytest.mark.parametrize("how", ["lost_recovered", "lost_borne"])
    def test_a_loss_that_the_gateway_takes_back_is_reversed_to_where_it_was_taken(
        self, books: Books, asha: Person, how: str
    ) -> None:
        top_up = TopUp(books, asha, 1_000)
        moves.pay(books, asha, books.person(), 300)
        dispute = top_up.disputed()
        tell(books, dispute, then(dispute, "lost"))
        end(books, dispute, how)
        tell(books, then(dispute, "won", phase=DisputePhase.PRE_ARBITRATION))
        assert open_break(books, dispute) == (1_000, 0), "the gateway has given it back, and our books don't say so"
        end(books, dispute, "won")
        assert (stands(books, asha), open_break(books, dispute)) == ((700, 0), None)
        backs = [one for one in booked(books, dispute) if one[0] == REVERSAL]
        recovered = [(REVERSAL, "gateway", "wallet", 700), (REVERSAL, "gateway", "losses", 300)]
        assert backs == (recovered if how == "lost_recovered" else [(REVERSAL, "gateway", "losses", 1_000)])
        tell(books, then(dispute, "lost", phase=DisputePhase.ARBITRATION))
        end(books, dispute, how)
        assert sum(one[3] for one in booked(books, dispute) if one[0] == "chargeback") == 2_000
        assert books.faults() == []

    def test_a_later_phase_of_a_loss_that_is_lost_too_books_nothing_more(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute, then(dispute, "lost"))
        end(books, dispute, "lost_recovered")
        tell(books, then(dispute, "open", phase=DisputePhase.ARBITRATION))
        assert open_break(books, dispute) == (1_000, 1_000)
        tell(books, then(dispute, "lost", phase=DisputePhase.ARBITRATION))
        assert (open_break(books, dispute), len(booked(books, dispute))) == (None, 1)
        assert books.faults() == []

    def test_a_loss_that_grows_or_shrinks_is_booked_to_its_amount(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed(600)
        tell(books, dispute, then(dispute, "lost"))
        end(books, dispute, "lost_recovered")
        tell(books, then(dispute, "lost", phase=DisputePhase.ARBITRATION, amount=900))
        assert open_break(books, dispute) == (900, 900), "the rest is reserved"
        end(books, dispute, "lost_recovered")
        assert stands(books, asha) == (100, 0)
        tell(books, then(dispute, "lost", phase=DisputePhase.ARBITRATION, amount=200))
        assert open_break(books, dispute) == (900, 200)
        end(books, dispute, "lost_recovered")
        assert stands(books, asha) == (800, 0)
        assert books.faults() == []

    def test_20_operators_end_it_once(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute)
        answers = together([lambda: end(books, dispute, "lost_recovered") for _ in range(20)])
        assert moves.refusals_in(answers) == [Refusal.NOT_FOUND] * 19
        assert booked(books, dispute) == [("chargeback", "wallet", "gateway", 1_000)]
        assert books.faults() == []

    def test_its_break_is_not_resolved_by_word_of_mouth(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute)
        with closing(books.as_role("operator")) as operator:
            refused = moves.refusal_of(
                lambda: operators.resolve_break(
                    operator,
                    asked(operator, "resolve_break", instruction()),
                    action_id=wiring.new_id(),
                    break_id=row(books, dispute)["id"],
                )
            )
        assert (refused, open_break(books, dispute)) == (Refusal.INVALID_REQUEST, (1_000, 1_000))


class TestSuspense:
    def test_money_in_suspense_that_is_disputed_can_not_leave_it_otherwise(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000, suspended=True)
        dispute = top_up.disputed()
        tell(books, dispute)
        assert (stands(books, asha), open_break(books, dispute)) == ((0, 0), (0, 1_000))
        assert moves.refusal_of(top_up.refund) is Refusal.REFUND_EXCEEDS_PAYMENT
        assert moves.refusal_of(lambda: credit(books, top_up, asha)) is Refusal.REFUND_EXCEEDS_PAYMENT
        assert left_in_suspense(books, top_up) == 0
        tell(books, then(dispute, "won"))
        assert left_in_suspense(books, top_up) == 1_000
        credit(books, top_up, asha)
        assert books.faults() == []

    @pytest.mark.parametrize("how", ["lost_recovered", "lost_borne"])
    def test_it_bears_its_loss_itself(self, books: Books, asha: Person, how: str) -> None:
        top_up = TopUp(books, asha, 1_000, suspended=True)
        dispute = top_up.disputed(700)
        tell(books, dispute, then(dispute, "lost"))
        end(books, dispute, how)
        assert booked(books, dispute) == [("chargeback", "suspense", "gateway", 700)]
        assert left_in_suspense(books, top_up) == 300
        tell(books, then(dispute, "won", phase=DisputePhase.ARBITRATION))
        assert left_in_suspense(books, top_up) == 300, "until the booking is taken back"
        assert moves.refusal_of(lambda: credit(books, top_up, asha, 301)) is Refusal.REFUND_EXCEEDS_PAYMENT
        end(books, dispute, "won")
        assert left_in_suspense(books, top_up) == 1_000
        assert books.faults() == []

    def test_what_was_credited_out_of_it_is_reserved_there(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000, suspended=True)
        credit(books, top_up, asha, 600)
        dispute = top_up.disputed()
        tell(books, dispute, then(dispute, "lost"))
        assert stands(books, asha) == (600, 600)
        end(books, dispute, "lost_recovered")
        assert booked(books, dispute) == [
            ("chargeback", "wallet", "gateway", 600),
            ("chargeback", "suspense", "gateway", 400),
        ]
        assert (stands(books, asha), left_in_suspense(books, top_up)) == ((0, 0), 0)
        assert books.faults() == []


def test_closing_sends_nothing_back_that_is_booked_for_a_loss(books: Books, asha: Person) -> None:
    top_up = TopUp(books, asha, 1_000)
    dispute = top_up.disputed()
    tell(books, dispute, then(dispute, "lost"))
    end(books, dispute, "lost_recovered")
    moves.pay(books, books.person(money=1_000), asha, 1_000)
    tell(books, then(dispute, "won", phase=DisputePhase.ARBITRATION))
    with closing(books.as_role("operator")) as operator:
        closed, _ = operators.close(
            operator, instruction(), action_id=wiring.new_id(), wallet_id=asha.wallet_id, most=50
        )
    assert (closed.opened, closed.without_a_source) == (0, 1_000)
    assert (books.faults(), books.broken_promises()) == ([], [])


class TestRefunds:
    def test_what_is_open_or_lost_counts_in_what_is_left_to_refund(self, books: Books, asha: Person) -> None:
        books.top_up(asha, 5_000)
        top_up = TopUp(books, asha, 1_000)
        dispute = top_up.disputed(700)
        tell(books, dispute)
        assert moves.refusal_of(lambda: top_up.refund(301)) is Refusal.REFUND_EXCEEDS_PAYMENT
        with closing(books.as_role("operator")) as operator:
            seen = inspection.find_wallet(operator, wallet_id=asha.wallet_id, phone=None)
        assert seen is not None
        assert [one.left for one in seen.top_ups if one.transaction_id == top_up.id] == [300]
        assert [one.dispute_id for one in seen.disputes] == [row(books, dispute)["id"]]
        tell(books, then(dispute, "lost"))
        end(books, dispute, "lost_borne")
        assert moves.refusal_of(lambda: top_up.refund(301)) is Refusal.REFUND_EXCEEDS_PAYMENT
        top_up.refund(300)
        tell(books, then(dispute, "won", phase=DisputePhase.ARBITRATION))
        end(books, dispute, "won")
        top_up.refund(700)
        assert books.faults() == []

    @pytest.mark.parametrize("how", ["lost_recovered", "lost_borne"])
    @pytest.mark.parametrize("word", [("won", 1_000), ("closed", 1_000), ("lost", 300)])
    def test_what_was_booked_for_a_loss_goes_back_by_no_refund_before_an_operator_takes_the_booking_back(
        self, books: Books, asha: Person, word: tuple[str, int], how: str
    ) -> None:
        """The gateway's word has changed: refunded on it, the money is gone twice when the word changes again."""
        books.top_up(asha, 5_000)
        top_up = TopUp(books, asha, 1_000)
        dispute = top_up.disputed()
        tell(books, dispute, then(dispute, "lost"))
        end(books, dispute, how)
        status, amount = word
        tell(books, then(dispute, status, amount=amount, phase=DisputePhase.ARBITRATION))
        assert moves.refusal_of(top_up.refund) is Refusal.REFUND_EXCEEDS_PAYMENT
        assert books.broken_promises() == []
        end(books, dispute, how if status == "lost" else "won")
        top_up.refund(700 if status == "lost" else 1_000)
        assert moves.refusal_of(top_up.refund) is Refusal.REFUND_EXCEEDS_PAYMENT
        assert (books.faults(), books.broken_promises()) == ([], [])

    def test_a_refund_that_is_under_way_leaves_a_dispute_the_rest(self, books: Books, asha: Person) -> None:
        books.top_up(asha, 5_000)
        top_up = TopUp(books, asha, 1_000)
        top_up.refund(800)
        dispute = top_up.disputed()
        tell(books, dispute, then(dispute, "lost"))
        assert stands(books, asha) == (6_000, 1_000)
        end(books, dispute, "lost_recovered")
        assert booked(books, dispute) == [
            ("chargeback", "wallet", "gateway", 200),
            ("chargeback", "losses", "gateway", 800),
        ]
        assert books.faults() == []

    def test_a_refund_that_the_gateway_does_not_have_is_not_asked_for_when_its_payment_is_disputed(
        self, books: Books, asha: Person
    ) -> None:
        top_up = TopUp(books, asha, 1_000)
        refund_id = top_up.refund()
        dispute = top_up.disputed()
        tell(books, dispute)
        assert stands(books, asha) == (1_000, 1_000), "held by the refund"
        with closing(books.as_role("gateway")) as gateway:
            [due] = [
                one for one in source_refunds.due_refunds(gateway, gateway="razorpay", limit=500) if one.id == refund_id
            ]
            assert source_refunds.claim_check(gateway, due, first_check_s=300) is Claimed.DISPUTED
            assert source_refunds.claim_check(gateway, due, first_check_s=300) is Claimed.TAKEN
            source_refunds.reject_refund(gateway, due, gateway="razorpay", reason="payment_disputed")
        assert stands(books, asha) == (1_000, 1_000), "held by the dispute, from the same commit on"
        assert row(books, dispute)["reserved"] == 1_000
        end(books, dispute, "lost_recovered")
        assert stands(books, asha) == (0, 0)
        assert books.faults() == []

    def test_a_refund_that_fits_beside_the_dispute_is_asked_for(self, books: Books, asha: Person) -> None:
        top_up = TopUp(books, asha, 1_000)
        refund_id = top_up.refund(400)
        tell(books, top_up.disputed(600))
        with closing(books.as_role("gateway")) as gateway:
            [due] = [
                one for one in source_refunds.due_refunds(gateway, gateway="razorpay", limit=500) if one.id == refund_id
            ]
            assert source_refunds.claim_check(gateway, due, first_check_s=300) is Claimed.DONE
        books.nothing_is_due()

    def test_the_gateways_own_refund_of_disputed_money_is_covered_by_what_the_dispute_reserved(
        self, books: Books, asha: Person
    ) -> None:
        """A dispute that is accepted may be paid by a refund: told of twice, and gone once."""
        top_up = TopUp(books, asha, 1_000)
        dispute = top_up.disputed()
        tell(books, dispute)
        refund = top_up.refunded(1_000)
        assert hear_refund(books, refund, refund) == [RefundNews.NEW, RefundNews.KNOWN]
        assert stands(books, asha) == (0, 0)
        with closing(books.as_role("operator")) as operator:
            assert refund.refund_id not in [
                one.gateway_refund_id for one in inspection.uncovered_refunds(operator, limit=500)
            ]
        assert row(books, dispute)["reserved"] == 0
        assert books.faults() == []

    @pytest.mark.parametrize("seed", range(6))
    def test_refund_and_dispute_at_once_never_take_more_than_the_top_up_brought(
        self, books: Books, asha: Person, seed: int
    ) -> None:
        books.top_up(asha, 9_000)
        top_up = TopUp(books, asha, 1_000)
        disputes = [top_up.disputed(700) for _ in range(3)]
        tasks: list[Callable[[], object]] = [lambda: top_up.refund(400) for _ in range(3)]
        tasks += [partial(tell, books, one) for one in disputes for _ in range(2)]
        tasks += [lambda: hear_refund(books, top_up.refunded(100, RefundStatus.PENDING)) for _ in range(2)]
        random.Random(seed).shuffle(tasks)
        answers = together(tasks)
        assert set(moves.refusals_in(answers)) <= {Refusal.REFUND_EXCEEDS_PAYMENT}
        assert books.held(asha) <= 1_000
        refunded = sum(isinstance(answer, UUID) for answer in answers)
        assert refunded <= 2
        assert books.faults() == []
        books.nothing_is_due()

    def test_news_ends_payments_and_refunds_at_once_leave_the_books_right(self, books: Books) -> None:
        people = [books.person(money=3_000) for _ in range(3)]
        before = moves.deadlocks(books)
        for _ in range(4):
            tops = [TopUp(books, person, 1_000) for person in people]
            disputes = [top.disputed(random.Random(top.id.int).randrange(100, 1_300)) for top in tops]
            tasks: list[object] = []
            for top, dispute, person in zip(tops, disputes, people, strict=True):
                lost = then(dispute, "lost")
                tasks += [
                    lambda one=dispute: tell(books, one),
                    lambda one=lost: tell(books, one),
                    lambda one=dispute: end(books, one, "lost_recovered"),
                    lambda one=top: one.refund(300),
                    lambda who=person: moves.pay(books, who, people[0], 50),
                    lambda one=top: hear_refund(books, one.refunded(200)),
                ]
            answers = together(tasks)  # type: ignore[arg-type]  # of several answers
            assert [one for one in answers if isinstance(one, DatabaseBrokenError)] == []
            assert books.faults() == []
        assert moves.deadlocks(books) == before
        books.nothing_is_due()


class TestViews:
    def test_breaks_tell_phase_and_deadline_and_a_dispute_its_history(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute)
        with closing(books.as_role("operator")) as operator:
            own_id = row(books, dispute)["id"]
            [found] = [one for one in every_break(operator) if one.subject == dispute.dispute_id]
            assert (found.dispute_id, found.phase, found.status) == (own_id, "chargeback", "open")
            assert (found.respond_by, found.their_amount) == (dispute.respond_by, 1_000)
            assert own_id in [one.dispute_id for one in dispute_views.open_disputes(operator, limit=500)]
            end(books, dispute, "lost_borne")
            view = dispute_views.find_dispute(operator, own_id)
            assert dispute_views.find_dispute(operator, wiring.new_id()) is None
        assert view is not None
        assert (view.dispute.phone, view.dispute.from_losses) == (asha.phone, 1_000)
        assert [(one.source, one.status, one.reserved) for one in view.history] == [
            ("gateway", "open", 1_000),
            ("operator", "lost", 0),
        ]
        assert [one.command for one in view.actions] == ["resolve_payment_dispute"]

    def test_rows_are_kept_as_they_were(self, books: Books, asha: Person) -> None:
        dispute = TopUp(books, asha, 1_000).disputed()
        tell(books, dispute)
        end(books, dispute, "lost_recovered")
        for statement in (
            "DELETE FROM payment_disputes",
            "UPDATE payment_disputes SET currency = 'USD'",
            "UPDATE payment_disputes SET told_at = told_at - INTERVAL 1 SECOND",
            "UPDATE payment_dispute_events SET reserved = 0",
            "DELETE FROM payment_dispute_events",
            "UPDATE payment_dispute_bookings SET end_no = 9",
            "DELETE FROM payment_dispute_bookings",
        ):
            with pytest.raises(Exception, match="dispute"):
                books.write(statement)


def credit(books: Books, top_up: TopUp, person: Person, amount: int | None = None) -> None:
    with closing(books.as_role("operator")) as operator:
        operators.credit_from_suspense(
            operator,
            asked(operator, "credit_from_suspense", instruction()),
            transaction_id=wiring.new_id(),
            suspended_id=top_up.id,
            wallet_id=person.wallet_id,
            amount=amount,
            over_limits=False,
        )


def left_in_suspense(books: Books, top_up: TopUp) -> int:
    return int(books.select("SELECT rest FROM money_in_suspense WHERE id = %s", top_up.id.bytes)[0]["rest"])


def every_break(operator: object) -> list[inspection.OpenBreak]:
    found: list[inspection.OpenBreak] = []
    after = None
    while page := inspection.shown_breaks(operator, kind="payment_dispute", after=after, limit=500):  # type: ignore[arg-type]
        found += page
        after = page[-1].break_id
    return found
