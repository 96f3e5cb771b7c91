"""POST /register: a user and their wallet."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import RegisterBody
from wallet.edge.idempotency import claim_of
from wallet.edge.requests import Request
from wallet.edge.responses import Response
from wallet.edge.routes import route
from wallet.identity import passwords
from wallet.identity.accounts.model import scope_of
from wallet.identity.accounts.service import check_registration, register
from wallet.ledger.refusals import Refusal
from wallet.storage.claims import Claim
from wallet.storage.users import NewUser

_REFUSES = (Refusal.INVALID_PROOF, Refusal.PHONE_TAKEN, Refusal.OPERATOR_NEEDED)


@route("POST /register", asks=RegisterBody, status=201, key="optional", is_open=True, refuses=_REFUSES)
def post_register(request: Request) -> Response["shapes.answers.Registration"]:
    """Registers. The key is optional here: without one a repetition is told `invalid_proof`."""
    key, asked = request.optional_idempotency_key(), request.json(RegisterBody)
    database, rules = wiring.database(), wiring.sign_in_rules()
    context = (asked.phone, asked.name, wiring.product_name())
    shown = {"phone_proof": asked.phone_proof, "password": asked.password, "address": request.address}
    check_registration(database, rules, context=context, **shown)

    def work() -> tuple["shapes.answers.Registration", bool]:
        user = NewUser(
            phone=asked.phone,
            name=asked.name,
            email=asked.email,
            kind=asked.kind,
            password_hash=passwords.hash_password(asked.password, cost=rules.password_cost),
            tier=wiring.setting("DEFAULT_TIER"),
            replace=asked.replace,
        )
        registration, replayed = register(database, wiring.new_id, user, phone_proof=asked.phone_proof, claim=claim)
        return shapes.registration(registration), replayed

    claim = None if key is None else _claim(request, key, asked)
    once = wiring.once
    return Response(201, work()[0]) if claim is None else once().answer(request, claim, work, status=201)


def _claim(request: Request, key: str, asked: RegisterBody) -> Claim:
    """The password counts, but no fast digest of it is kept anywhere."""
    scope = scope_of(asked.phone_proof)
    secret = passwords.fingerprint(asked.password, salt=scope.bytes + key.encode())
    told = asked.model_dump(mode="json", exclude={"password", "phone_proof"}, exclude_none=True, exclude_defaults=True)
    return claim_of(request, actor_id=scope, key=key, asked=told | {"password": secret})


handler = wiring.counting_api_handler(post_register)
