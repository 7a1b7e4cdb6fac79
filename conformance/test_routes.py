"""The HTTP API of template.yaml: its routes are those that openapi.yaml documents, and no others."""

import re
from typing import Any

import yaml
from expansion import ROOT, default, resources

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
FREEZE = {("get", "/freeze"), ("put", "/freeze"), ("delete", "/freeze")}
# Of which API Gateway takes the whole rest of the path: an id may have several segments, and so has an ARN once API Gateway
# has decoded its slash ("API Gateway decodes URL-encoded request parameters before passing them to your backend
# integration", API Gateway, "Create routes for HTTP APIs")
REST = "{proxy+}"
GREEDY = ("/policy-changes/", "/instances/")


def operations(paths: dict[str, Any]) -> set[tuple[str, str]]:
    return {(method, path) for path, item in paths.items() for method in item if method in METHODS}


def routes() -> dict[str, Any]:
    [api] = resources("AWS::ApiGatewayV2::Api").values()
    return api["Body"]["paths"]


def documented() -> set[tuple[str, str]]:
    return operations(yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"])


def route_of(method: str, path: str) -> tuple[str, str]:
    """The route that serves an operation: the exact one, or the one that takes the rest of the path."""
    return method, next((start + REST for start in GREEDY if path.startswith(start)), path)


def test_every_documented_operation_has_a_route() -> None:
    assert {route_of(*operation) for operation in documented()} - operations(routes()) == set()


def test_every_route_is_documented() -> None:
    assert operations(routes()) - {route_of(*operation) for operation in documented()} == set()


def test_what_can_be_done_to_a_change_is_documented_by_its_name() -> None:
    """One route serves them all, so that only openapi.yaml tells them apart."""
    change = "/policy-changes/{changeId}"
    acts = {("post", f"{change}/{act}") for act in ("undo", "apply", "cancel")}
    assert {operation for operation in documented() if operation[1].startswith(change)} == acts | {("get", change)}


def test_what_can_be_done_to_a_target_is_documented_by_its_name() -> None:
    policies = "/instances/{instanceId}/attachment-policies"
    assert {operation for operation in documented() if operation[1].startswith("/instances/")} == {
        ("get", policies), ("get", f"{policies}/{{scope}}"), ("patch", f"{policies}/{{scope}}"),
        ("get", f"{policies}/{{scope}}/history"), ("post", f"{policies}/{{scope}}/restore"),
        ("delete", f"{policies}/{{scope}}/declaration"),
    }  # fmt: skip


def test_the_routes_are_these() -> None:
    change, instance = (start + REST for start in GREEDY)
    assert operations(routes()) == FREEZE | {
        ("post", "/policy-changes"), ("get", "/policy-changes"), ("get", change), ("post", change),
        ("get", instance), ("patch", instance), ("post", instance), ("delete", instance),
    }  # fmt: skip


def test_every_route_leads_to_the_api_function_and_needs_iam() -> None:
    for method, path in operations(routes()):
        route = routes()[path][method]
        assert route["security"] == [{"AWS_IAM": []}]
        integration = route["x-amazon-apigateway-integration"]
        assert integration["payloadFormatVersion"] == "2.0"
        assert integration["timeoutInMillis"] == 30_000
        assert "${ApiFunction.Arn}" in integration["uri"]["Fn::Sub"]


def test_api_gateway_may_invoke_the_function_by_its_own_routes_only() -> None:
    granted = set()
    for grant in resources("AWS::Lambda::Permission").values():
        assert grant["FunctionName"] == {"Ref": "ApiFunction"}
        [found] = re.findall(r"\$\{__Stage__\}/([A-Z]+)(/.+)$", grant["SourceArn"]["Fn::Sub"][0])
        granted.add(found)
    # SAM writes it as `*`
    as_written = {(method.upper(), path.replace(REST, "*")) for method, path in operations(routes())}
    assert granted == as_written


def test_the_api_is_throttled_and_its_function_bounded() -> None:
    [stage] = resources("AWS::ApiGatewayV2::Stage").values()
    assert default(stage["DefaultRouteSettings"]["ThrottlingRateLimit"]) == 10
    assert default(stage["DefaultRouteSettings"]["ThrottlingBurstLimit"]) == 20
    function = resources("AWS::Lambda::Function")["ApiFunction"]
    # 30 s is all that an HTTP API waits, a cold start included, which the function's timeout does not count
    assert function["Timeout"] == 28


def test_a_warning_of_the_import_fails_no_deployment() -> None:
    """SAM writes `$default` and path parameters of which the import warns: aws/serverless-application-model, 2297."""
    [api] = resources("AWS::ApiGatewayV2::Api").values()
    assert "FailOnWarnings" not in api
