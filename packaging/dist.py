"""Makes dist/: a versioned zip of the bootstrap with third-party licences, its SBOM, and a checksum of each.

    make dist            the architecture of this machine
    make dist ARCH=arm64 where cargo-lambda can build it

The zip is reproducible: the same bootstrap gives the same bytes.
"""

import argparse
import hashlib
import json
import subprocess
import tomllib
import zipfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "connect-attachment-policy"
TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
# The earliest time that a zip can store. The time of the build would change the checksum.
EPOCH = (1980, 1, 1, 0, 0, 0)
LICENCE_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE")


def run(*command: str | Path) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def metadata(target: str) -> dict:
    command = ["cargo", "metadata", "--locked", "--format-version=1", f"--filter-platform={target}"]
    return json.loads(run(*command))


def linked(graph: dict) -> tuple[dict, list[dict]]:
    """This package, and every package that ends up in its binary."""
    packages = {package["id"]: package for package in graph["packages"]}
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    own = next(package for package in graph["packages"] if package["name"] == PACKAGE)
    found: set[str] = set()
    waiting = [own["id"]]
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and dependency["pkg"] not in found:
                found.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    others = [packages[found_id] for found_id in found]
    return own, sorted(others, key=lambda package: (package["name"], package["version"]))


def licences(packages: list[dict]) -> str:
    """Each licence text once, with the packages it belongs to."""
    texts: dict[str, list[str]] = defaultdict(list)
    table = []
    for package in packages:
        name = f"{package['name']} {package['version']}"
        table.append(f"{name}: {package['license'] or 'see its licence file'}")
        folder = Path(package["manifest_path"]).parent
        files = [path for path in sorted(folder.iterdir()) if path.name.upper().startswith(LICENCE_NAMES) and path.is_file()]
        for path in files:
            texts[path.read_text(errors="replace").strip()].append(name)
    parts = ["Software in this binary that others wrote, and its licences.\n", "\n".join(table)]
    for text, names in texts.items():
        parts.append(f"{'=' * 80}\n{', '.join(names)}\n{'=' * 80}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def sbom(destination: Path, target: str) -> None:
    """CycloneDX 1.5, by cargo-cyclonedx."""
    tool = ROOT / "target" / "tools"
    if not (tool / "bin" / "cargo-cyclonedx").is_file():
        run("cargo", "install", "--locked", "--root", tool, "--version", "0.5.9", "cargo-cyclonedx")
    stem = f"{PACKAGE}-{target}"
    command = ["--format=json", "--spec-version=1.5", f"--target={target}", f"--override-filename={stem}"]
    run(tool / "bin" / "cargo-cyclonedx", "cyclonedx", *command)
    destination.write_text((ROOT / f"{stem}.json").read_text())
    # it writes one for every member of the workspace
    members = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["members"]
    for folder in ("", *members):
        (ROOT / folder / f"{stem}.json").unlink(missing_ok=True)


def pack(destination: Path, bootstrap: Path, notices: str) -> None:
    entries = [
        ("bootstrap", bootstrap.read_bytes(), 0o755),
        ("LICENSE", (ROOT / "LICENSE").read_bytes(), 0o644),
        ("THIRD-PARTY-LICENSES.txt", notices.encode(), 0o644),
    ]
    with zipfile.ZipFile(destination, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode << 16
            archive.writestr(entry, content)


def checksum(path: Path) -> Path:
    """Beside a file, what `sha256sum --check` takes: of this file alone, so that it can be checked by itself."""
    beside = path.with_name(f"{path.name}.sha256")
    beside.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    return beside


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bootstrap", type=Path, required=True)
    arguments.add_argument("--architecture", choices=sorted(TARGETS), required=True)
    arguments.add_argument("--destination", type=Path, default=ROOT / "dist")
    given = arguments.parse_args()
    target = TARGETS[given.architecture]
    own, others = linked(metadata(target))
    stem = f"{PACKAGE}-{own['version']}-{given.architecture}"
    given.destination.mkdir(exist_ok=True)
    made = [given.destination / f"{stem}.zip", given.destination / f"{stem}.cdx.json"]
    pack(made[0], given.bootstrap, licences(others))
    sbom(made[1], target)
    made += [checksum(path) for path in made]
    for path in made:
        print(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
