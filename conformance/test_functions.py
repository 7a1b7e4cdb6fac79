"""The functions of template.yaml: one program, each with its own source, settings, share and bounds."""

import re

import pytest
from expansion import EVERY, ROOT, default, expanded, filled, named, resources, rust_functions
from functions import FUNCTIONS, mappings



@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_one_bootstrap_that_takes_what_its_own_source_sends(name: str) -> None:
    function = resources("AWS::Lambda::Function")[name]
    assert (function["Runtime"], function["Handler"]) == ("provided.al2023", "bootstrap")
    assert default(function["Architectures"][0]) == "arm64"
    trigger, queue = FUNCTIONS[name]
    assert function["Environment"]["Variables"]["ACCEPTED_TRIGGERS"] == trigger
    assert (named(mappings()[name]["EventSourceArn"]) if queue else None) == queue


def test_the_functions_are_these() -> None:
    assert rust_functions().keys() == FUNCTIONS.keys()
    assert mappings().keys() == {name for name, (_, queue) in FUNCTIONS.items() if queue}


# which functions have which variable of their own; all have the others
OF_ONE = {
    "ACCEPTED_TRIGGERS": set(FUNCTIONS),
    "CONNECT_REQUESTS_PER_SECOND": {"ApiFunction", "WorkerFunction", "SweepFunction", "DeclareFunction"},
    "CONNECT_BURST": {"ApiFunction", "WorkerFunction", "SweepFunction", "DeclareFunction"},
    "PARKED_QUEUE_URL": {"IntakeFunction", "WorkerFunction", "SweepFunction"},
    "MAX_STALLED_DELIVERIES": {"WorkerFunction", "SweepFunction"},
}
PACE = ("CONNECT_REQUESTS_PER_SECOND", "CONNECT_BURST")
OF_THE_LEDGER = {
    "LEDGER_TABLE", "LEDGER_RETENTION_DAYS", "INTAKE_QUEUE_URL", "CHANGE_QUEUE_URL", "OUTCOME_BUS", "CONNECT_REGIONS",
}  # fmt: skip


def test_every_function_has_the_settings_that_it_needs() -> None:
    variables = {name: set(function["Environment"]["Variables"]) for name, function in rust_functions().items()}
    common = set.intersection(*variables.values())
    assert common >= OF_THE_LEDGER
    for name, found in variables.items():
        assert found - common == {one for one, of in OF_ONE.items() if name in of} - common, name


def test_the_page_of_settings_says_which_function_has_which() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    [header] = re.findall(r"^\| variable \| (API \|.+) \|$", page, re.MULTILINE)
    functions = [f"{name.capitalize() if name != 'API' else 'Api'}Function" for name in header.split(" | ")]
    said: dict[str, dict[str, str]] = {name: {} for name in functions}
    for names, cells in re.findall(r"^\| (`[A-Z_`, ]+`) \|((?: [^|\n]* \|| \|){6})$", page, re.MULTILINE):
        for name, cell in zip(functions, cells.split("|"), strict=False):
            if text := cell.strip().strip("`"):
                variables = re.findall(r"`(\w+)`", names)
                values = text.split(", ") if len(variables) == 2 and text != "yes" else [text] * len(variables)
                said[name] |= dict(zip(variables, values, strict=True))
    for name, function in rust_functions().items():
        own = {
            variable: str(default(value)) if variable in ("ACCEPTED_TRIGGERS", *PACE) else "yes"
            for variable, value in function["Environment"]["Variables"].items()
            if variable in OF_ONE.keys() | OF_THE_LEDGER
        }
        assert said[name] == own, name


def test_a_restored_table_takes_the_place_of_the_stack_s_own_for_every_function() -> None:
    for values, table in (({}, {"Ref": "LedgerTable"}), (EVERY, EVERY["LedgerTableName"])):
        made = filled(values)["Resources"]
        used = {name: made[name]["Properties"]["Environment"]["Variables"]["LEDGER_TABLE"] for name in FUNCTIONS}
        assert used == dict.fromkeys(FUNCTIONS, table)
        assert made["LedgerTable"]["DeletionPolicy"] == "Retain", "the stack's own stays, whichever is used"


def test_as_many_lanes_are_at_work_as_the_parameter_says() -> None:
    made = filled({"LaneConcurrency": "20"})["Resources"]
    assert made["WorkerFunction"]["Properties"]["ReservedConcurrentExecutions"] == "20"
    assert made["WorkerFunctionChange"]["Properties"]["ScalingConfig"] == {"MaximumConcurrency": "20"}
    lanes = expanded()["Parameters"]["LaneConcurrency"]
    # SQS mappings take no less than 2 ("Configuring scaling behavior for SQS event source mappings")
    assert (lanes["Default"], lanes["MinValue"]) == (10, 2)


def test_nothing_is_reserved_where_the_account_has_nothing_to_reserve() -> None:
    reserved = {
        values["ReserveConcurrency"]: {
            name: filled(values)["Resources"][name]["Properties"].get("ReservedConcurrentExecutions")
            for name in FUNCTIONS
        }
        for values in ({"ReserveConcurrency": "true"}, {"ReserveConcurrency": "false"})
    }
    own = {
        "ApiFunction": 2, "IntakeFunction": 2, "WorkerFunction": 10, "SweepFunction": 3, "WidgetFunction": 2,
        "DeclareFunction": 2,
    }  # fmt: skip
    assert reserved == {"true": own, "false": dict.fromkeys(FUNCTIONS)}
    page = " ".join((ROOT / "docs/deploy.md").read_text().split())
    assert f"reserve {sum(own.values())} concurrent executions" in page


def test_no_function_alone_exceeds_the_quota() -> None:
    """2 calls a second, burst 5, for an account and Region: a lane's one worker, an API process, the sweep.

    Together they may: docs/deploy.md, "The quota".
    """
    parameter = {name: definition["Default"] for name, definition in expanded()["Parameters"].items()}
    paces = {
        name: (default(variables["CONNECT_REQUESTS_PER_SECOND"]), default(variables["CONNECT_BURST"]))
        for name, variables in ((name, rust_functions()[name]["Environment"]["Variables"]) for name in FUNCTIONS)
        if "CONNECT_REQUESTS_PER_SECOND" in variables
    }
    small = (parameter["ApiRequestsPerSecond"], parameter["ApiBurst"])
    worker = (1.82, 5)
    # a declaration's function calls nobody: it estimates by the worker's pace
    estimated = paces.pop("DeclareFunction")
    assert paces == {"WorkerFunction": worker, "ApiFunction": small, "SweepFunction": small}
    assert estimated == worker
    assert small == (0.5, 2)
    assert all(rate <= 2 and burst <= 5 for rate, burst in paces.values())
