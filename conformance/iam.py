"""What a role of template.yaml may do, decided as IAM does ("Policy evaluation logic"), as far as these policies go.

Only an account shows what AWS decides: `make acceptance` asks IAM's own simulator the same questions.
"""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from expansion import TEMPLATE, Properties, as_list, filled, named


def documents(role: str, template: Properties) -> list[Properties]:
    """Every policy document of a role."""
    properties = template["Resources"][role]["Properties"]
    found = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    for policy in properties.get("ManagedPolicyArns", []):
        found.append(template["Resources"][named(policy)]["Properties"]["PolicyDocument"])
    return found


def statements_of(role: str, values: dict[str, str], path: Path = TEMPLATE) -> list[Properties]:
    """Every statement of a role's policies with these parameters."""
    return [statement for document in documents(role, filled(values, path)) for statement in document["Statement"]]


def granted(role: str, values: dict[str, str], path: Path = TEMPLATE) -> dict[str, list[Properties]]:
    """Every action that a role's policies allow with these parameters, and the statements that do."""
    found: dict[str, list[Properties]] = {}
    for statement in statements_of(role, values, path):
        assert statement["Effect"] == "Allow"
        for action in as_list(statement["Action"]):
            found.setdefault(action, []).append(statement)
    return found


def on(role: str, values: dict[str, str], path: Path = TEMPLATE) -> dict[str, list[Any]]:
    """Every action that a role's policies allow, and on what."""
    return {
        action: [resource for statement in found for resource in as_list(statement["Resource"])]
        for action, found in granted(role, values, path).items()
    }


def text(resource: Any) -> str:
    """A resource as a policy compares it; the ARN of one of the template's own is `<Name.Arn>`."""
    match resource:
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Sub": str(pattern)}:
            return re.sub(r"\$\{([\w:.]+)\}", r"<\1>", pattern)
    return resource


def may(role: str, action: str, resource: str, values: dict[str, str], **context: list[str]) -> bool:
    """Whether a request is allowed; the context's keys are those of the conditions, `:` written as `__`."""
    keys = {name.replace("__", ":"): given for name, given in context.items()}
    found = [
        statement["Effect"]
        for statement in statements_of(role, values)
        if any(fnmatchcase(action.lower(), allowed.lower()) for allowed in as_list(statement["Action"]))
        and any(fnmatchcase(resource, text(named_)) for named_ in as_list(statement["Resource"]))
        and all(holds(operator, tests, keys) for operator, tests in statement.get("Condition", {}).items())
    ]
    return "Deny" not in found and "Allow" in found


def holds(operator: str, tests: dict[str, Any], keys: dict[str, list[str]]) -> bool:
    """Whether a condition holds: of several keys all, of several values of a key one."""
    for_all, _, plain = operator.rpartition(":")
    assert for_all in ("", "ForAllValues"), operator
    for key, wanted in tests.items():
        given = keys.get(key)
        if plain == "Null":
            is_held = (given is None) is (wanted == "true")
        else:
            matches = {"StringEquals": str.__eq__, "StringLike": fnmatchcase}[plain]
            fits = [any(matches(value, pattern) for pattern in as_list(wanted)) for value in given or []]
            # a key that is absent: of ForAllValues, no value differs; of all others, none fits
            is_held = all(fits) if for_all else any(fits)
        if not is_held:
            return False
    return True
