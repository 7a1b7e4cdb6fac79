"""What a look at a page costs: a fleet of 200 targets, and the other pages of the change that made it.

The function as a governed sandbox runs it, with its table on loopback. CPU is the kernel's figure for the function's
process, by look; the time is the whole look's, the table's share of it included.

    .venv/bin/python benches/page.py [--function target/release/connect-attachment-policy]
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import requests

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

from conftest import UNPACED, Sandbox, serving

LOOKS = 40
ONE = "00000001-0000-4000-8000-000000000001"
PAGES = {
    "fleet of 200 targets": "",
    "changes, a ledger's first": "?view=changes",
    "one change, 100 of its targets": "?view=change&change=FIRST",
    "one target": f"?view=target&instance={ONE}&scope=CHAT",
}


def processes(sandbox: Sandbox) -> set[int]:
    tasks = Path(f"/proc/{sandbox.pid}/task").iterdir()
    return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}


def on_cpu(process: int) -> float:
    """Milliseconds so far, of all threads."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1_000_000


def govern(sandbox: Sandbox) -> None:
    """One change of every target."""
    document = {"instanceId": "*", "attachmentScope": "*", "maximumSize": "9 MB", "changeId": "FIRST"}
    requests.post(f"{sandbox.function}/policy-changes", json=document, timeout=60).raise_for_status()
    record = f"{sandbox.function}/policy-changes/FIRST"
    while requests.get(record, timeout=60).json()["status"] in ("accepted", "running"):
        time.sleep(0.2)


def looked(url: str) -> float:
    begin = time.perf_counter()
    requests.get(url, timeout=60).raise_for_status()
    return (time.perf_counter() - begin) * 1_000


def main(flags: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with serving(Path(folder) / "log", *UNPACED, "--instances=50", *flags, command="govern") as sandbox:
            govern(sandbox)
            before = processes(sandbox)
            print("| page | HTML, KB | CPU, ms | time, ms: least, median |\n| --- | ---: | ---: | ---: |")
            for name, query in PAGES.items():
                size = len(requests.get(f"{sandbox.pages}/{query}", timeout=60).content)
                [widget] = processes(sandbox) - before
                begin = on_cpu(widget)
                times = [looked(f"{sandbox.pages}/{query}") for _ in range(LOOKS)]
                cpu = (on_cpu(widget) - begin) / LOOKS
                print(f"| {name} | {size / 1000:.0f} | {cpu:.1f} | {min(times):.0f}, {median(times):.0f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
