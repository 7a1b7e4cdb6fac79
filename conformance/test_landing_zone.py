"""What a landing zone asks for: keys, a boundary, a network, endpoints. All of it is optional."""

import json
import re
from fnmatch import fnmatchcase

from expansion import EVERY, as_list, filled, named, resources, rust_functions
from iam import statements_of
from pages import ROOT


def test_a_key_of_the_operator_s_takes_the_place_of_the_services_own() -> None:
    key = EVERY["DataKeyArn"]
    for name, resource in filled(EVERY)["Resources"].items():
        properties = resource["Properties"]
        match resource["Type"]:
            case "AWS::SQS::Queue":
                assert (properties["KmsMasterKeyId"], properties["SqsManagedSseEnabled"]) == (key, False), name
            case "AWS::DynamoDB::Table":
                assert properties["SSESpecification"]["KMSMasterKeyId"] == key
            case "AWS::Events::Archive":
                assert properties["KmsKeyIdentifier"] == key
            case "AWS::Events::EventBus":
                assert properties["KmsKeyIdentifier"] == key
                # "Encrypting EventBridge event buses with AWS KMS keys" recommends one
                assert named(properties["DeadLetterConfig"]["Arn"]) == "ParkedQueue"
            case "AWS::Logs::LogGroup":
                assert properties["KmsKeyId"] == EVERY["LogKmsKeyArn"]
    assert not re.search("K[Mm][Ss]Master|KmsKey", json.dumps(filled({})))


def test_a_landing_zone_s_boundary_path_and_network_reach_everything_they_are_for() -> None:
    for name, resource in filled(EVERY)["Resources"].items():
        properties = resource["Properties"]
        match resource["Type"]:
            case "AWS::IAM::Role":
                boundary = (properties["Path"], properties["PermissionsBoundary"])
                assert boundary == (EVERY["RolePath"], EVERY["PermissionsBoundaryArn"]), name
            case "AWS::IAM::ManagedPolicy":
                assert properties["Path"] == EVERY["RolePath"]
            case "AWS::Lambda::Function" if name in rust_functions():
                variables = properties["Environment"]["Variables"]
                assert (variables["AWS_USE_FIPS_ENDPOINT"], variables["SSL_CERT_FILE"]) == ("true", "/opt/ca.pem")
                assert properties["Layers"] == [EVERY["CaBundleLayerArn"]]
                assert properties["VpcConfig"]["SubnetIds"] == EVERY["SubnetIds"].split(",")
                assert properties["VpcConfig"]["SecurityGroupIds"] == EVERY["SecurityGroupIds"].split(",")
    plain = filled({})["Resources"]
    for name in rust_functions():
        properties = plain[name]["Properties"]
        assert "SSL_CERT_FILE" not in properties["Environment"]["Variables"]
        assert not {"VpcConfig", "Layers"} & properties.keys()
    roles = [resource["Properties"] for resource in plain.values() if resource["Type"] == "AWS::IAM::Role"]
    assert [role for role in roles if "PermissionsBoundary" in role] == []


def test_the_boundary_of_the_page_has_every_action_of_every_role() -> None:
    text = (ROOT / "docs/deploy.md").read_text()
    [paragraph] = re.findall(r"^\*\*Roles\.\*\* .*?(?=\n\n)", text, re.MULTILINE | re.DOTALL)
    named_ = re.findall(r"`([\w:*]+)`", paragraph)
    # `BatchGetItem` is DynamoDB's too, as the word before it
    patterns = [word if ":" in word else f"dynamodb:{word}" for word in named_]
    actions = {
        action
        for role in resources("AWS::IAM::Role")
        for statement in statements_of(role, EVERY)
        for action in as_list(statement["Action"])
    }
    assert {"events:PutEvents", "sts:AssumeRole", "dynamodb:BatchGetItem"} <= actions
    assert [action for action in sorted(actions) if not any(fnmatchcase(action, one) for one in patterns)] == []
