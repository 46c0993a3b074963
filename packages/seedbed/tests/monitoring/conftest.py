"""The bundles that the tests of serving make."""

from serving.conftest import built  # noqa: F401
