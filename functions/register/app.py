"""POST /register: a user and their wallet."""

from wallet import wiring
from wallet.edge import shapes
from wallet.edge.bodies import RegisterBody
from wallet.edge.idempotency import claim_of
from wallet.edge.requests import Request
from wallet.edge.responses import Json, Response
from wallet.identity import passwords
from wallet.identity.register import register, scope_of
from wallet.storage.claims import Claim
from wallet.storage.users import NewUser, count_former


def post_register(request: Request) -> Response:
    """Registers. The key is optional here: without one a repetition is told `phone_taken`."""
    key = request.optional_idempotency_key()
    asked = request.json(RegisterBody)

    def work() -> tuple[Json, bool]:
        user = NewUser(
            phone=asked.phone,
            name=asked.name,
            email=asked.email,
            kind=asked.kind,
            password_hash=passwords.hash_password(asked.password, cost=wiring.number("PASSWORD_COST")),
            tier=wiring.setting("DEFAULT_TIER"),
        )
        registration, replayed = register(wiring.database(), wiring.new_id, user, claim=claim)
        return shapes.registration(registration), replayed

    if key is None:
        claim = None
        return Response(201, work()[0])
    claim = _claim(request, key, asked)
    return wiring.once().answer(request, claim, work, status=201)


def _claim(request: Request, key: str, asked: RegisterBody) -> Claim:
    """The password counts, but no fast digest of it is kept anywhere."""
    scope = scope_of(asked.phone, count_former(wiring.database(), asked.phone))
    secret = passwords.fingerprint(asked.password, salt=scope.bytes + key.encode())
    told = asked.model_dump(mode="json", exclude={"password"}, exclude_none=True) | {"password": secret}
    return claim_of(request, actor_id=scope, key=key, asked=told)


handler = wiring.phone_api_handler({"POST /register": post_register})
