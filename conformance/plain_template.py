"""A plain CloudFormation template as it is once its parameters are given: no conditions, no intrinsic functions."""

import re
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

ABSENT = object()
PSEUDO = {
    "AWS::AccountId": "222233334444", "AWS::Region": "us-east-1", "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "made",
}  # fmt: skip


class Made:
    """A template with these parameters; the others have their defaults."""

    def __init__(self, path: Path, **given: str) -> None:
        self.template = yaml_parse(path.read_text())
        assert given.keys() <= self.template["Parameters"].keys(), "a parameter that the template does not have"
        self._values = {name: given.get(name, default.get("Default")) for name, default in self.parameters.items()}
        assert None not in self._values.values(), "a parameter without a default needs a value"

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        return self.template["Parameters"]

    def refused(self) -> list[str]:
        """The parameters whose value CloudFormation would refuse by its pattern; of a list, each item's."""
        found = []
        for name, parameter in self.parameters.items():
            value = str(self._values[name])
            items = value.split(",") if parameter["Type"] == "CommaDelimitedList" else [value]
            pattern = parameter.get("AllowedPattern")
            if pattern and not all(re.fullmatch(pattern, item) for item in items):
                found.append(name)
        return found

    def resources(self) -> dict[str, dict[str, Any]]:
        """Each resource that is made, filled in."""
        made = self.template["Resources"].items()
        return {name: self.filled(one) for name, one in made if self._holds(one.get("Condition"))}

    def one(self, kind: str) -> dict[str, Any]:
        """The properties of the only resource of a type."""
        [found] = [one["Properties"] for one in self.resources().values() if one["Type"] == kind]
        return found

    def _holds(self, condition: Any) -> bool:
        match condition:
            case None:
                return True
            case str(name) | {"Condition": name}:
                return self._holds(self.template["Conditions"][name])
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
            case {"Fn::Equals": [left, right]}:
                return self.filled(left) == self.filled(right)
        raise AssertionError(f"unknown condition {condition}")

    def filled(self, value: Any) -> Any:
        match value:
            case {"Ref": "AWS::NoValue"}:
                return ABSENT
            case {"Ref": name}:
                return self._named(name)
            case {"Fn::GetAtt": str(path)}:
                return f"<{path}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{name}.{attribute}>"
            case {"Fn::If": [condition, yes, no]}:
                return self.filled(yes if self._holds(condition) else no)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(self.filled(parts))
            case {"Fn::Select": [index, parts]}:
                return self.filled(parts)[int(index)]
            case {"Fn::Split": [separator, text]}:
                return self.filled(text).split(separator)
            case {"Fn::Sub": [text, names]}:
                return self._substituted(text, {name: self.filled(one) for name, one in names.items()})
            case {"Fn::Sub": str(text)}:
                return self._substituted(text, {})
            case dict():
                filled = {key: self.filled(one) for key, one in value.items()}
                return {key: one for key, one in filled.items() if one is not ABSENT}
            case list():
                return [one for one in map(self.filled, value) if one is not ABSENT]
        return value

    def _substituted(self, text: str, names: dict[str, str]) -> str:
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: str(names.get(found[1]) or self._named(found[1])), text)

    def _named(self, name: str) -> Any:
        if name in self.parameters:
            value = self._values[name]
            return value.split(",") if self.parameters[name]["Type"] == "CommaDelimitedList" else value
        return PSEUDO.get(name, f"<{name}>")
