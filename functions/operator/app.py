"""The operators' routes, one for each role: who signs them is known to IAM, and allowed by it."""

from wallet import wiring
from wallet.edge.commands import Desk
from wallet.operators.model import Role

handler = wiring.phone_api_handler(
    {
        f"POST /operator/{role}/commands": Desk(role, wiring.database, wiring.new_id, wiring.operator_session_roles)
        for role in Role
    }
)
