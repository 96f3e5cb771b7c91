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
    amount: int,
    vpa: str,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["amount"] = amount

    params["vpa"] = vpa

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/withdrawals/preview",
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
    amount: int,
    vpa: str,
) -> Response[Preview | Problem]:
    """A withdrawal of the caller's.

    Args:
        amount (int): A whole number of minor units (paise) from 1 to 9007199254740991, in digits:
            5000 is 50 rupees.
        vpa (str): A UPI address, like asha@okbank, as text of at most 255 characters.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Preview | Problem]
    """

    kwargs = _get_kwargs(
        amount=amount,
        vpa=vpa,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    amount: int,
    vpa: str,
) -> Preview | Problem | None:
    """A withdrawal of the caller's.

    Args:
        amount (int): A whole number of minor units (paise) from 1 to 9007199254740991, in digits:
            5000 is 50 rupees.
        vpa (str): A UPI address, like asha@okbank, as text of at most 255 characters.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Preview | Problem
    """

    return sync_detailed(
        client=client,
        amount=amount,
        vpa=vpa,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    amount: int,
    vpa: str,
) -> Response[Preview | Problem]:
    """A withdrawal of the caller's.

    Args:
        amount (int): A whole number of minor units (paise) from 1 to 9007199254740991, in digits:
            5000 is 50 rupees.
        vpa (str): A UPI address, like asha@okbank, as text of at most 255 characters.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Preview | Problem]
    """

    kwargs = _get_kwargs(
        amount=amount,
        vpa=vpa,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    amount: int,
    vpa: str,
) -> Preview | Problem | None:
    """A withdrawal of the caller's.

    Args:
        amount (int): A whole number of minor units (paise) from 1 to 9007199254740991, in digits:
            5000 is 50 rupees.
        vpa (str): A UPI address, like asha@okbank, as text of at most 255 characters.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Preview | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            amount=amount,
            vpa=vpa,
        )
    ).parsed
