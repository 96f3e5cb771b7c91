from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.payee import Payee
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    wallet_id: None | str | Unset = UNSET,
    phone: None | str | Unset = UNSET,
    qr: None | str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_wallet_id: None | str | Unset
    if isinstance(wallet_id, Unset):
        json_wallet_id = UNSET
    else:
        json_wallet_id = wallet_id
    params["wallet_id"] = json_wallet_id

    json_phone: None | str | Unset
    if isinstance(phone, Unset):
        json_phone = UNSET
    else:
        json_phone = phone
    params["phone"] = json_phone

    json_qr: None | str | Unset
    if isinstance(qr, Unset):
        json_qr = UNSET
    else:
        json_qr = qr
    params["qr"] = json_qr

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/payees",
        "params": params,
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Payee | Problem | None:
    if response.status_code == 200:
        response_200 = Payee.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Payee | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    wallet_id: None | str | Unset = UNSET,
    phone: None | str | Unset = UNSET,
    qr: None | str | Unset = UNSET,
) -> Response[Payee | Problem]:
    """The one who has the wallet, the phone or the QR code that is named.

    Args:
        wallet_id (None | str | Unset):
        phone (None | str | Unset):
        qr (None | str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Payee | Problem]
    """

    kwargs = _get_kwargs(
        wallet_id=wallet_id,
        phone=phone,
        qr=qr,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    wallet_id: None | str | Unset = UNSET,
    phone: None | str | Unset = UNSET,
    qr: None | str | Unset = UNSET,
) -> Payee | Problem | None:
    """The one who has the wallet, the phone or the QR code that is named.

    Args:
        wallet_id (None | str | Unset):
        phone (None | str | Unset):
        qr (None | str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Payee | Problem
    """

    return sync_detailed(
        client=client,
        wallet_id=wallet_id,
        phone=phone,
        qr=qr,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    wallet_id: None | str | Unset = UNSET,
    phone: None | str | Unset = UNSET,
    qr: None | str | Unset = UNSET,
) -> Response[Payee | Problem]:
    """The one who has the wallet, the phone or the QR code that is named.

    Args:
        wallet_id (None | str | Unset):
        phone (None | str | Unset):
        qr (None | str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Payee | Problem]
    """

    kwargs = _get_kwargs(
        wallet_id=wallet_id,
        phone=phone,
        qr=qr,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    wallet_id: None | str | Unset = UNSET,
    phone: None | str | Unset = UNSET,
    qr: None | str | Unset = UNSET,
) -> Payee | Problem | None:
    """The one who has the wallet, the phone or the QR code that is named.

    Args:
        wallet_id (None | str | Unset):
        phone (None | str | Unset):
        qr (None | str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Payee | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            wallet_id=wallet_id,
            phone=phone,
            qr=qr,
        )
    ).parsed
