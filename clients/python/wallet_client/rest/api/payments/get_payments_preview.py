from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.preview import Preview
from ...models.problem import Problem
from ...types import UNSET, Response


def _get_kwargs(
    *,
    to: str,
    amount: int,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["to"] = to

    params["amount"] = amount

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/payments/preview",
        "params": params,
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Preview | Problem | None:
    if response.status_code == 200:
        response_200 = Preview.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Preview | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    to: str,
    amount: int,
) -> Response[Preview | Problem]:
    """A payment of the caller's; nothing is told of the payee, and nothing counted.

    Args:
        to (str): A payee is a wallet's id (wal_…), a phone number with its calling code (its +
            written %2B), or what a wallet's QR code says (wallet:wal_…).
        amount (int): A whole number of minor units (paise) from 1 to 9007199254740991, in digits:
            5000 is 50 rupees.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Preview | Problem]
    """

    kwargs = _get_kwargs(
        to=to,
        amount=amount,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    to: str,
    amount: int,
) -> Preview | Problem | None:
    """A payment of the caller's; nothing is told of the payee, and nothing counted.

    Args:
        to (str): A payee is a wallet's id (wal_…), a phone number with its calling code (its +
            written %2B), or what a wallet's QR code says (wallet:wal_…).
        amount (int): A whole number of minor units (paise) from 1 to 9007199254740991, in digits:
            5000 is 50 rupees.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Preview | Problem
    """

    return sync_detailed(
        client=client,
        to=to,
        amount=amount,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    to: str,
    amount: int,
) -> Response[Preview | Problem]:
    """A payment of the caller's; nothing is told of the payee, and nothing counted.

    Args:
        to (str): A payee is a wallet's id (wal_…), a phone number with its calling code (its +
            written %2B), or what a wallet's QR code says (wallet:wal_…).
        amount (int): A whole number of minor units (paise) from 1 to 9007199254740991, in digits:
            5000 is 50 rupees.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Preview | Problem]
    """

    kwargs = _get_kwargs(
        to=to,
        amount=amount,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    to: str,
    amount: int,
) -> Preview | Problem | None:
    """A payment of the caller's; nothing is told of the payee, and nothing counted.

    Args:
        to (str): A payee is a wallet's id (wal_…), a phone number with its calling code (its +
            written %2B), or what a wallet's QR code says (wallet:wal_…).
        amount (int): A whole number of minor units (paise) from 1 to 9007199254740991, in digits:
            5000 is 50 rupees.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Preview | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            to=to,
            amount=amount,
        )
    ).parsed
