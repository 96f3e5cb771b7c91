from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.hold_status import HoldStatus
from ...models.holds import Holds
from ...models.party_side import PartySide
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    limit: int | Unset = 20,
    key: None | str | Unset = UNSET,
    cursor: None | str | Unset = UNSET,
    side: None | PartySide | Unset = UNSET,
    status: HoldStatus | None | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["limit"] = limit

    json_key: None | str | Unset
    if isinstance(key, Unset):
        json_key = UNSET
    else:
        json_key = key
    params["key"] = json_key

    json_cursor: None | str | Unset
    if isinstance(cursor, Unset):
        json_cursor = UNSET
    else:
        json_cursor = cursor
    params["cursor"] = json_cursor

    json_side: None | str | Unset
    if isinstance(side, Unset):
        json_side = UNSET
    elif isinstance(side, PartySide):
        json_side = side.value
    else:
        json_side = side
    params["side"] = json_side

    json_status: None | str | Unset
    if isinstance(status, Unset):
        json_status = UNSET
    elif isinstance(status, HoldStatus):
        json_status = status.value
    else:
        json_status = status
    params["status"] = json_status

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/holds",
        "params": params,
    }

    return _kwargs


def _parse_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Holds | Problem | None:
    if response.status_code == 200:
        response_200 = Holds.from_dict(response.json())

        return response_200

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

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


def _build_response(*, client: AuthenticatedClient | Client, response: httpx.Response) -> Response[Holds | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    limit: int | Unset = 20,
    key: None | str | Unset = UNSET,
    cursor: None | str | Unset = UNSET,
    side: None | PartySide | Unset = UNSET,
    status: HoldStatus | None | Unset = UNSET,
) -> Response[Holds | Problem]:
    """Holds that the caller placed, and those for them.

    Args:
        limit (int | Unset): A whole number from 1 to 100. Default: 20.
        key (None | str | Unset):
        cursor (None | str | Unset):
        side (None | PartySide | Unset):
        status (HoldStatus | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Holds | Problem]
    """

    kwargs = _get_kwargs(
        limit=limit,
        key=key,
        cursor=cursor,
        side=side,
        status=status,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    limit: int | Unset = 20,
    key: None | str | Unset = UNSET,
    cursor: None | str | Unset = UNSET,
    side: None | PartySide | Unset = UNSET,
    status: HoldStatus | None | Unset = UNSET,
) -> Holds | Problem | None:
    """Holds that the caller placed, and those for them.

    Args:
        limit (int | Unset): A whole number from 1 to 100. Default: 20.
        key (None | str | Unset):
        cursor (None | str | Unset):
        side (None | PartySide | Unset):
        status (HoldStatus | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Holds | Problem
    """

    return sync_detailed(
        client=client,
        limit=limit,
        key=key,
        cursor=cursor,
        side=side,
        status=status,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    limit: int | Unset = 20,
    key: None | str | Unset = UNSET,
    cursor: None | str | Unset = UNSET,
    side: None | PartySide | Unset = UNSET,
    status: HoldStatus | None | Unset = UNSET,
) -> Response[Holds | Problem]:
    """Holds that the caller placed, and those for them.

    Args:
        limit (int | Unset): A whole number from 1 to 100. Default: 20.
        key (None | str | Unset):
        cursor (None | str | Unset):
        side (None | PartySide | Unset):
        status (HoldStatus | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Holds | Problem]
    """

    kwargs = _get_kwargs(
        limit=limit,
        key=key,
        cursor=cursor,
        side=side,
        status=status,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    limit: int | Unset = 20,
    key: None | str | Unset = UNSET,
    cursor: None | str | Unset = UNSET,
    side: None | PartySide | Unset = UNSET,
    status: HoldStatus | None | Unset = UNSET,
) -> Holds | Problem | None:
    """Holds that the caller placed, and those for them.

    Args:
        limit (int | Unset): A whole number from 1 to 100. Default: 20.
        key (None | str | Unset):
        cursor (None | str | Unset):
        side (None | PartySide | Unset):
        status (HoldStatus | None | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Holds | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            limit=limit,
            key=key,
            cursor=cursor,
            side=side,
            status=status,
        )
    ).parsed
