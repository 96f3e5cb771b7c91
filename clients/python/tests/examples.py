"""What the tests pay, and what the API answers to it."""

from wallet_client.rest.models import PaymentPayeeRef

PAYEE = PaymentPayeeRef(phone="+919876543211")
RECEIPT = {
    "id": "pay_1",
    "status": "completed",
    "amount": 6000,
    "currency": "INR",
    "from": {"wallet_id": "wal_1", "name": "Asha Rao"},
    "to": {"wallet_id": "wal_2", "name": "Bela Iyer"},
    "description": None,
    "reference": None,
    "transaction_id": "txn_1",
    "created_at": "2026-11-22T06:30:00.123Z",
    "balance": {"total": 1, "held": 0, "available": 1},
}
