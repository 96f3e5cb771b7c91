"""A door: the entry of one function. The only place that catches everything, and that logs a request."""

import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from wallet.edge.cors import cors_headers
from wallet.edge.logs import logger
from wallet.edge.problem_pages import own_address
from wallet.edge.requests import headers_of, read_request
from wallet.edge.responses import Response, problem_response, refusal_response, to_api_gateway
from wallet.edge.routes import Route
from wallet.edge.statuses import problem_of
from wallet.gateways.port import refuses_our_keys
from wallet.identity.phones import NO_REGION
from wallet.ledger.refusals import Refusal, Refused


class Door:
    """The handler of a Lambda function, which answers its routes."""

    def __init__(
        self,
        *routes: Route,
        problem_base: Callable[[], str] = str,
        region: Callable[[], str] = lambda: NO_REGION,
        origin_secrets: Callable[[], Iterable[str]] = tuple,
        allowed_origins: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """`problem_base` is the setting of where problems are explained: an address, or '' for the API's own.

        `region` is that of the country of phones that name none, where phones are read. `origin_secrets` are what our
        own distribution proves itself with, where requests are counted by their address. `allowed_origins` are those
        whose pages browsers let read the answers, besides the API's own.
        """
        self.routes = {route.name: route for route in routes}
        self._problem_base = problem_base
        self._region = region
        self._origin_secrets = origin_secrets
        self._allowed_origins = allowed_origins

    def __call__(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        """Answers any event with a response, whatever happens."""
        began = time.monotonic()
        told = event.get("requestContext") or {}
        request_id = str(told.get("requestId") or getattr(context, "aws_request_id", ""))
        problem_base = self._problem_base() or own_address(event)
        try:
            response = self._answer(event, context)
        except Refused as refused:
            response = refusal_response(refused, request_id, base=problem_base)
        except Exception as accident:  # noqa: BLE001 - here and nowhere else
            response = self._explain(accident, request_id, problem_base)
        logger().info(
            "request",
            request_id=request_id,
            route=f"{event.get('httpMethod')} {event.get('resource')}",
            status=response.status,
            code=response.code,
            replayed="Idempotency-Replayed" in response.headers,
            user_id=(told.get("authorizer") or {}).get("user_id"),
            ms=round((time.monotonic() - began) * 1000),
        )
        origin = headers_of(event).get("origin")
        return to_api_gateway(response, request_id, cors_headers(origin, self._allowed_origins()))

    def _answer(self, event: dict[str, Any], context: object) -> Response[Any]:
        request = read_request(event, context, region=self._region(), origin_secrets=self._origin_secrets)
        route = self.routes.get(request.route)
        if route is None:
            raise Refused(Refusal.NOT_FOUND)
        return route.handler(request)

    @staticmethod
    def _explain(accident: Exception, request_id: str, problem_base: str) -> Response[Any]:
        problem = problem_of(accident)
        if problem.status == 500:
            logger().exception("accident", request_id=request_id)
        elif refuses_our_keys(accident):
            logger().error("keys_refused", request_id=request_id, reason=str(accident))
        else:
            logger().warning("outage", request_id=request_id, error=type(accident).__name__, reason=str(accident))
        return problem_response(problem, request_id, base=problem_base)
