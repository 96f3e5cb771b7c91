from enum import StrEnum


class GetWalletTransactionsTypeType0(StrEnum):
    ADJUSTMENT = "adjustment"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSAL = "chargeback_reversal"
    FEE = "fee"
    HOLD_CAPTURE = "hold_capture"
    PAYMENT = "payment"
    REFUND = "refund"
    REFUND_TO_SOURCE = "refund_to_source"
    TOP_UP = "top_up"
    WITHDRAWAL = "withdrawal"
    WITHDRAWAL_RETURN = "withdrawal_return"

    def __str__(self) -> str:
        return str(self.value)
