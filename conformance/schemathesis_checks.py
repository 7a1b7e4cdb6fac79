"""Loaded by schemathesis: checks that need to know more about this API than its schema says."""

from itertools import count

import requests
import schemathesis

TRIED = count()

# Rules between parts of a document, or between it and the operator's settings, which a schema cannot express.
UNSAYABLE = {
    "ConflictingFields": "an extension is in both `addExtensions` and `removeExtensions`",
    "NoRoleForAccount": "which accounts have a role is a setting",
    "OverlappingTarget": "two changes of one document name the same target",
    "SizeTooLargeForEmail": "the limit depends on the scope, which may be in the path",
    "TooManyTargets": "the limit is on a product",
}
ACCEPTED = {200, 202, 207}
# Correct answers: the instance or the change does not exist, its record does not permit it, or the target was modified.
REFUSED_AS_ASKED = {404, 409, 412}
# So are these of a 403: what is computed from what a target holds may break a limit.
BLOCKED_AS_ASKED = {"WouldBeEmpty", "WouldBeTooLong"}


@schemathesis.check
def accepted_but_for_rules_no_schema_can_say(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A document that fits the schema is accepted, or breaks only the rules named above."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code in ACCEPTED | REFUSED_AS_ASKED:
        return
    if response.status_code == 400 and "nextToken" in (case.query or {}):
        assert response.json()["type"].endswith(":invalid-token"), "a schema-valid request cannot be read"
        return
    if response.status_code == 403:
        codes = {result["error"]["code"] for result in response.json()["report"]["results"]}
        assert codes and codes <= BLOCKED_AS_ASKED, f"a schema-valid request was blocked: {sorted(codes)}"
        return
    assert response.status_code == 422, f"a schema-valid request was answered with {response.status_code}"
    violations = response.json()["violations"]
    codes = {violation["code"] for violation in violations}
    conflicts = {found["pointer"].rpartition("/")[2] for found in violations if found["code"] == "ConflictingFields"}
    assert conflicts <= {"removeExtensions"}, f"a schema-valid request has conflicts at {sorted(conflicts)}"
    assert codes, "nothing says why a schema-valid request was refused"
    assert codes <= UNSAYABLE.keys(), f"a schema-valid request breaks {sorted(codes - UNSAYABLE.keys())}"


@schemathesis.hook
def map_case(context: schemathesis.HookContext, case: schemathesis.Case) -> schemathesis.Case:
    """Takes away what would make every case of its kind the same refusal."""
    meta = case.meta
    if not meta or not meta.generation.mode.is_positive:
        return case
    if meta.phase.name.value == "coverage":
        # the same unusual `If-Match` with every PATCH, which would end with a 412
        if case.headers and "If-Match" in case.headers:
            case.headers["If-Match"] = "*"
        # a token with every page, which no list has given
        if case.query:
            case.query.pop("nextToken", None)
    # few ids are tried, so that nearly each would belong to another change (409): half of them get one of their own
    if isinstance(case.body, dict) and isinstance(case.body.get("changeId"), str) and (number := next(TRIED)) % 2:
        case.body["changeId"] = f"{case.body['changeId'][:100]}-{number}"
    return case


@schemathesis.hook
def after_call(context: schemathesis.HookContext, case: schemathesis.Case, response: schemathesis.Response) -> None:
    """Whatever froze the changes is undone at once: otherwise every later write would be answered with 503."""
    if case.method == "PUT" and response.status_code == 200:
        requests.delete(response.request.url, timeout=30).raise_for_status()
