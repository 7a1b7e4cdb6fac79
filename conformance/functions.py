"""The functions of template.yaml, and what feeds each of them."""

from expansion import Properties, named, resources

# what each function accepts, and the queue that it is fed from
FUNCTIONS = {
    "ApiFunction": ("http,bare", None),
    "IntakeFunction": ("sqs", "IntakeQueue"),
    "WorkerFunction": ("lane", "ChangeQueue"),
    "SweepFunction": ("sweep,cloudtrail", "SeenQueue"),
    "WidgetFunction": ("widget", None),
    "DeclareFunction": ("cloudformation", None),
}


def mappings() -> dict[str, Properties]:
    """The event source mapping of each function that has one."""
    return {named(mapping["FunctionName"]): mapping for mapping in resources("AWS::Lambda::EventSourceMapping").values()}
