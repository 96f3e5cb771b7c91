"""Contains all the data models used in inputs/outputs"""

from .account import Account
from .account_side import AccountSide
from .balance import Balance
from .bulk_payment import BulkPayment
from .bulk_receipt import BulkReceipt
from .bulk_retry import BulkRetry
from .bulk_row import BulkRow
from .bulk_rows import BulkRows
from .capture import Capture
from .capture_body import CaptureBody
from .code_body import CodeBody
from .confirmation_body import ConfirmationBody
from .confirmation_body_passkey_type_0 import ConfirmationBodyPasskeyType0
from .confirmation_code import ConfirmationCode
from .empty_body import EmptyBody
from .entry import Entry
from .fault import Fault
from .gateway_side import GatewaySide
from .get_top_ups_status_type_0 import GetTopUpsStatusType0
from .get_wallet_transactions_id_proof_response_200 import GetWalletTransactionsIdProofResponse200
from .get_wallet_transactions_type_type_0 import GetWalletTransactionsTypeType0
from .hold import Hold
from .hold_body import HoldBody
from .hold_receipt import HoldReceipt
from .hold_status import HoldStatus
from .holds import Holds
from .limit_left import LimitLeft
from .limits import Limits
from .listed_payment_request import ListedPaymentRequest
from .listed_top_up import ListedTopUp
from .login_body import LoginBody
from .me_body import MeBody
from .new_passkey import NewPasskey
from .new_phone_body import NewPhoneBody
from .new_top_up import NewTopUp
from .new_top_up_checkout import NewTopUpCheckout
from .new_wallet import NewWallet
from .party import Party
from .party_side import PartySide
from .passkey import Passkey
from .passkey_body import PasskeyBody
from .passkey_body_credential import PasskeyBodyCredential
from .passkey_proof import PasskeyProof
from .passkey_proof_body import PasskeyProofBody
from .passkey_proof_body_passkey import PasskeyProofBodyPasskey
from .passkey_proof_body_purpose import PasskeyProofBodyPurpose
from .passkeys import Passkeys
from .password_body import PasswordBody
from .payee import Payee
from .payee_ref import PayeeRef
from .payment import Payment
from .payment_body import PaymentBody
from .payment_payee_ref import PaymentPayeeRef
from .payment_receipt import PaymentReceipt
from .payment_request import PaymentRequest
from .payment_request_body import PaymentRequestBody
from .payment_requests import PaymentRequests
from .payments import Payments
from .phone_proof import PhoneProof
from .post_confirmations_id_options_response_200 import PostConfirmationsIdOptionsResponse200
from .post_passkey_proofs_options_response_200 import PostPasskeyProofsOptionsResponse200
from .post_passkeys_options_response_200 import PostPasskeysOptionsResponse200
from .preview import Preview
from .problem import Problem
from .proof_body import ProofBody
from .proof_key import ProofKey
from .proof_keys import ProofKeys
from .proof_options_body import ProofOptionsBody
from .proof_options_body_purpose import ProofOptionsBodyPurpose
from .purpose import Purpose
from .received_payment import ReceivedPayment
from .refund import Refund
from .refund_body import RefundBody
from .register_body import RegisterBody
from .register_body_kind import RegisterBodyKind
from .registration import Registration
from .request_status import RequestStatus
from .required_confirmation import RequiredConfirmation
from .reset_body import ResetBody
from .row_status import RowStatus
from .sent_code import SentCode
from .session import Session
from .sessions import Sessions
from .statement import Statement
from .statement_link import StatementLink
from .tally import Tally
from .token_body import TokenBody
from .tokens import Tokens
from .top_up import TopUp
from .top_up_body import TopUpBody
from .top_up_checkout import TopUpCheckout
from .top_up_event import TopUpEvent
from .top_ups import TopUps
from .unfreeze_body import UnfreezeBody
from .unfreezing import Unfreezing
from .upi import Upi
from .usage import Usage
from .user import User
from .vpa_side import VpaSide
from .wallet import Wallet
from .wallet_code import WalletCode
from .wallet_side import WalletSide
from .whole_entry import WholeEntry
from .withdrawal import Withdrawal
from .withdrawal_body import WithdrawalBody
from .withdrawal_receipt import WithdrawalReceipt
from .withdrawal_status import WithdrawalStatus
from .withdrawals import Withdrawals

__all__ = (
    "Account",
    "AccountSide",
    "Balance",
    "BulkPayment",
    "BulkReceipt",
    "BulkRetry",
    "BulkRow",
    "BulkRows",
    "Capture",
    "CaptureBody",
    "CodeBody",
    "ConfirmationBody",
    "ConfirmationBodyPasskeyType0",
    "ConfirmationCode",
    "EmptyBody",
    "Entry",
    "Fault",
    "GatewaySide",
    "GetTopUpsStatusType0",
    "GetWalletTransactionsIdProofResponse200",
    "GetWalletTransactionsTypeType0",
    "Hold",
    "HoldBody",
    "HoldReceipt",
    "Holds",
    "HoldStatus",
    "LimitLeft",
    "Limits",
    "ListedPaymentRequest",
    "ListedTopUp",
    "LoginBody",
    "MeBody",
    "NewPasskey",
    "NewPhoneBody",
    "NewTopUp",
    "NewTopUpCheckout",
    "NewWallet",
    "Party",
    "PartySide",
    "Passkey",
    "PasskeyBody",
    "PasskeyBodyCredential",
    "PasskeyProof",
    "PasskeyProofBody",
    "PasskeyProofBodyPasskey",
    "PasskeyProofBodyPurpose",
    "Passkeys",
    "PasswordBody",
    "Payee",
    "PayeeRef",
    "Payment",
    "PaymentBody",
    "PaymentPayeeRef",
    "PaymentReceipt",
    "PaymentRequest",
    "PaymentRequestBody",
    "PaymentRequests",
    "Payments",
    "PhoneProof",
    "PostConfirmationsIdOptionsResponse200",
    "PostPasskeyProofsOptionsResponse200",
    "PostPasskeysOptionsResponse200",
    "Preview",
    "Problem",
    "ProofBody",
    "ProofKey",
    "ProofKeys",
    "ProofOptionsBody",
    "ProofOptionsBodyPurpose",
    "Purpose",
    "ReceivedPayment",
    "Refund",
    "RefundBody",
    "RegisterBody",
    "RegisterBodyKind",
    "Registration",
    "RequestStatus",
    "RequiredConfirmation",
    "ResetBody",
    "RowStatus",
    "SentCode",
    "Session",
    "Sessions",
    "Statement",
    "StatementLink",
    "Tally",
    "TokenBody",
    "Tokens",
    "TopUp",
    "TopUpBody",
    "TopUpCheckout",
    "TopUpEvent",
    "TopUps",
    "UnfreezeBody",
    "Unfreezing",
    "Upi",
    "Usage",
    "User",
    "VpaSide",
    "Wallet",
    "WalletCode",
    "WalletSide",
    "WholeEntry",
    "Withdrawal",
    "WithdrawalBody",
    "WithdrawalReceipt",
    "Withdrawals",
    "WithdrawalStatus",
)
