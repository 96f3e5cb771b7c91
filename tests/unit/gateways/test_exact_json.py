"""JSON digit for digit, in and out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.gateways.exact_json import (
    DecimalNumber,
    MalformedJsonError,
    compact_json,
    json_object,
    json_objects,
)


@pytest.mark.parametrize("number", ["1.00", "0.10", "100.005", "1e2", "-0.5", "1E+400", "5e-324"])
def test_a_number_that_is_not_whole_keeps_its_digits(number: str) -> None:
    assert json_object(f'{{"a":{number}}}'.encode()) == {"a": DecimalNumber(number)}


def test_a_whole_number_and_a_text_are_not_taken_for_one() -> None:
    assert json_object(b'{"a":1,"b":"1.00","c":true}') == {"a": 1, "b": "1.00", "c": True}


@pytest.mark.parametrize("longest", ["1." + "0" * 62, "9" * 19, "-" + "9" * 19])
def test_a_number_is_as_long_as_it_likes_where_it_is_not_bounded(longest: str) -> None:
    longer = f'{{"a":{longest}0}}'.encode()
    assert json_object(f'{{"a":{longest}}}'.encode(), bounded=True) == json_object(f'{{"a":{longest}}}'.encode())
    assert json_object(longer) == {"a": DecimalNumber(f"{longest}0")}
    assert json_object(b'{"a":' + b"9" * 5_000 + b"}") == {"a": DecimalNumber("9" * 5_000)}
    with pytest.raises(MalformedJsonError):
        json_object(longer, bounded=True)


def test_a_list_of_objects_is_read_and_nothing_else_is_one() -> None:
    assert json_objects(b'[{"a":1},{}]') == [{"a": 1}, {}]
    for raw in (b"{}", b"[1]", b'["a"]', b"[[]]", b"null", b"", b'[{"a":1,"a":2}]', b"[NaN]"):
        with pytest.raises(MalformedJsonError):
            json_objects(raw)


def test_what_is_written_has_no_blanks_and_every_digit() -> None:
    body = {"amount": DecimalNumber("1234.50"), "name": 'a "b"', "list": [DecimalNumber("0.10"), None, {"x": True}]}
    assert compact_json(body) == b'{"amount":1234.50,"name":"a \\"b\\"","list":[0.10,null,{"x":true}]}'


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_what_is_written_is_read_again(value: object) -> None:
    assert json_object(compact_json({"value": value})) == {"value": value}
