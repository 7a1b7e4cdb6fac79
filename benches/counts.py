"""A regression gate that does not depend on time: counts instructions with valgrind's callgrind.

Compares a fixed set of scenarios with benches/counts.json and allows SLACK more. The counts belong to one compiler:
with another one, or without valgrind, it prints that the comparison is skipped.

    make counts              compares (part of `make ci`)
    make counts-baseline     writes a new baseline
"""

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

BASELINE = Path(__file__).parent / "counts.json"
SLACK = 0.05


def count(binary: Path, scenario: str) -> int:
    """The number of instructions in `counted::measured` and everything that it calls."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=counted::measured"]
    output = subprocess.run([*command, binary, scenario], capture_output=True, text=True, check=True).stderr
    collected = re.search(r"Collected : (\d+)", output)
    assert collected, output
    return int(collected[1])


def here() -> dict[str, str]:
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {"compiler": compiler, "machine": platform.machine()}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", type=Path)
    arguments.add_argument("--write", action="store_true", help="write the baseline")
    given = arguments.parse_args()
    if not shutil.which("valgrind"):
        print("SKIPPED: no valgrind on this machine (Debian and Ubuntu: apt install valgrind)")
        return 0
    baseline = json.loads(BASELINE.read_text())
    if not given.write and baseline["of"] != here():
        print(f"SKIPPED: the baseline is of {baseline['of']}, this is {here()}")
        return 0
    scenarios = subprocess.run([given.binary], capture_output=True, text=True, check=True).stdout.split()
    counts = {scenario: count(given.binary, scenario) for scenario in scenarios}
    if given.write:
        BASELINE.write_text(json.dumps({"of": here(), "instructions": counts}, indent=2) + "\n")
    else:
        assert counts.keys() == baseline["instructions"].keys(), "the scenarios changed: make counts-baseline"
    over = []
    print("| scenario | instructions | over the baseline |")
    print("| --- | ---: | ---: |")
    for scenario, counted in counts.items():
        change = counted / baseline["instructions"][scenario] - 1 if not given.write else 0
        print(f"| {scenario} | {counted:,} | {change:+.1%} |")
        if change > SLACK:
            over.append(scenario)
    if over:
        print(f"more than {SLACK:.0%} over the baseline: {', '.join(over)}")
    return len(over)


if __name__ == "__main__":
    sys.exit(main())
