"""boto3 clients for servers on loopback."""

from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "111122223333"
SCOPES = ("EMAIL", "CHAT", "CASE", "TASK")


def instance_id(number: int) -> str:
    """The id of the sandbox's n-th instance."""
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def instance_arn(number: int, region: str = REGION, account: str = ACCOUNT) -> str:
    """The ARN of the sandbox's n-th instance."""
    return f"arn:aws:connect:{region}:{account}:instance/{instance_id(number)}"


def client(service: str, url: str, region: str = REGION, **config: Any) -> Any:
    """An ordinary client. The sandbox checks the form of its signature, not its secret."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        # one attempt, unless a test is about retries
        config=Config(**{"retries": {"mode": "standard", "total_max_attempts": 1}, **config}),
    )
