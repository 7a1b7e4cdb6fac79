"""The usual script: a boto3 loop over every instance and scope.

Run by benches/propagation.py; prints one JSON object. The retry mode is botocore's own
(`standard` or `adaptive`, botocore's "Retries" guide), with its default of three attempts.
"""

import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SCOPES = ("EMAIL", "CHAT", "CASE", "TASK")


def main(endpoint: str, mode: str, size: int) -> None:
    started = time.monotonic()
    retries = {"mode": mode}
    connect = boto3.client("connect", endpoint_url=endpoint, config=Config(retries=retries))
    updated = failed = 0
    for page in connect.get_paginator("list_instances").paginate():
        for instance in page["InstanceSummaryList"]:
            for scope in SCOPES:
                try:
                    connect.update_attached_files_configuration(
                        InstanceId=instance["Id"],
                        AttachmentScope=scope,
                        MaximumSizeLimitInBytes=size,
                        ExtensionConfiguration={"AllowedExtensions": [{"Extension": "pdf"}]},
                    )
                    updated += 1
                except ClientError:
                    failed += 1
    print(json.dumps({"updated": updated, "failed": failed, "seconds": time.monotonic() - started}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
