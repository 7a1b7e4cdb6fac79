"""What the function does not do yet.

Its tests are written and expected to fail; a test that passes all the same fails the run. So whoever builds the rest
takes the marks away, and this file with the last of them.
"""

import pytest

REGIONS = pytest.mark.xfail(strict=True, reason="the function does not read CONNECT_REGIONS yet")
ROUTES = pytest.mark.xfail(strict=True, reason="openapi.yaml has no changes, no history and no freeze yet")
