"""What has to come before anything is seen, in the language that takes most."""

from tests.web.conftest import Visit

_MOST = 60_000


def test_script_and_style_of_the_first_load_are_small(visit: Visit) -> None:
    visitor = visit(locale="hi-IN")
    visitor.open("")
    visitor.page.get_by_role("heading", level=1).wait_for()
    visitor.comes_to_rest()
    sizes: dict[str, int] = visitor.page.evaluate(
        """() => Object.fromEntries(performance.getEntriesByType("resource")
            .filter((one) => /[.](js|css)$/.test(one.name)).map((one) => [one.name, one.encodedBodySize]))"""
    )
    assert len(sizes) >= 3, "script, style and the language"
    assert sum(sizes.values()) <= _MOST, sizes
