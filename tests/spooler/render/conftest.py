"""One renderer for all tests of this room: its fonts take a moment to load."""

import pytest

from spooler.render import Renderer, Unprintable, find_templates


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(find_templates())


@pytest.fixture
def refusal(renderer):
    """Return what printing a content is refused for, as pairs of field and code."""

    def of(content) -> list[tuple[str, str]]:
        with pytest.raises(Unprintable) as caught:
            renderer.print_document(content)
        return [(finding.field, str(finding.code)) for finding in caught.value.findings]

    return of
