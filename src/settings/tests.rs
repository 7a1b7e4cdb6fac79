use super::*;
use policy_core::aws::RoleArn;

fn read(variables: &[(&str, &str)]) -> Result<Settings, InvalidSettings> {
    let lookup = |name: &str| {
        let set = variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        set.or_else(|| (name == "AWS_REGION").then(|| "us-east-1".to_owned()))
    };
    Settings::read(&lookup)
}

#[test]
fn without_any_variable_the_documented_quota_holds_and_every_trigger_is_accepted() {
    let settings = read(&[]).unwrap();
    assert_eq!(settings.connect, ConnectSettings::default());
    assert_eq!(settings.accepted_triggers, TriggerKind::DEFAULT.into());
    assert_eq!(settings.guardrails, Guardrails::default());
    assert_eq!(*settings.regions, [RegionName::parse("us-east-1").unwrap()]);
}

#[test]
fn every_variable_is_read() {
    let role = "arn:aws:iam::444455556666:role/spoke";
    let settings = read(&[
        ("ACCEPTED_TRIGGERS", "http, sqs"),
        ("POLICY_ALLOWED_INSTANCES", "00000001-0000-4000-8000-000000000001"),
        ("POLICY_BLOCKED_EXTENSIONS", "exe,.JS"),
        ("POLICY_MAX_SIZE_BYTES", "20971520"),
        ("POLICY_ALLOW_EMPTY_EXTENSIONS", "true"),
        ("CONNECT_REQUESTS_PER_SECOND", "1.5"),
        ("CONNECT_BURST", "3"),
        ("CONNECT_QUOTA", "shared"),
        ("CONNECT_MAX_ATTEMPTS", "4"),
        ("CONNECT_ROLE_ARNS", role),
        ("CONNECT_REGIONS", "us-west-2, eu-central-1,us-west-2"),
        ("LEDGER_TABLE", "attachment-policies"),
        ("LEDGER_RETENTION_DAYS", "30"),
        ("MAX_STALLED_DELIVERIES", "3"),
        ("INTAKE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/intake.fifo"),
        ("CHANGE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/changes.fifo"),
        ("PARKED_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/parked"),
    ])
    .unwrap();
    assert_eq!(settings.accepted_triggers, [TriggerKind::Http, TriggerKind::Sqs].into());
    assert_eq!(settings.guardrails.allowed_instances.len(), 1);
    assert!(settings.guardrails.blocked_extensions.contains("js"));
    assert_eq!(settings.guardrails.max_size.map(MaxSize::bytes), Some(20_971_520));
    assert!(settings.allow_empty_extensions);
    let connect = ConnectSettings {
        requests_per_second: 1.5,
        burst: 3,
        shared_quota: true,
        gives_way: false,
        max_attempts: 4,
        roles: RoleArn::parse(role).into_iter().map(|role| (role.account(), role)).collect(),
    };
    assert_eq!(settings.connect, connect);
    let regions: Vec<_> = settings.regions.iter().map(RegionName::as_str).collect();
    assert_eq!(regions, ["eu-central-1", "us-west-2"]);
    assert_eq!(settings.rules(None).regions, settings.regions);
    assert!(settings.change_queue_url.is_some() && settings.parked_queue_url.is_some());
    assert!(settings.intake_queue_url.is_some());
    let table = "attachment-policies".to_owned();
    let retention = Duration::from_hours(30 * 24);
    assert_eq!(settings.ledger, Some(LedgerSettings { table, retention, max_stalled: 3 }));
}

#[test]
fn every_wrong_one_is_named_in_one_error() {
    let wrong = read(&[
        ("ACCEPTED_TRIGGERS", "http,sns"),
        ("POLICY_ALLOWED_INSTANCES", "*"),
        ("POLICY_BLOCKED_EXTENSIONS", "*.exe"),
        ("POLICY_MAX_SIZE_BYTES", "20 MB"),
        ("POLICY_ALLOW_EMPTY_EXTENSIONS", "yes"),
        ("CONNECT_REQUESTS_PER_SECOND", "NaN"),
        ("CONNECT_BURST", "0"),
        ("CONNECT_QUOTA", "both"),
        ("CONNECT_MAX_ATTEMPTS", "-1"),
        ("CONNECT_ROLE_ARNS", "arn:aws:iam::444455556666:user/x"),
        ("CONNECT_REGIONS", "us-east-1,*,eu-central,cn-north-1"),
        ("LEDGER_TABLE", "my table"),
        ("LEDGER_RETENTION_DAYS", "0"),
        ("MAX_STALLED_DELIVERIES", "1000"),
        ("INTAKE_QUEUE_URL", ""),
        ("CHANGE_QUEUE_URL", "changes.fifo"),
        ("AWS_REGION", ""),
    ])
    .unwrap_err();
    let expected = [
        "ACCEPTED_TRIGGERS has the unknown trigger `sns`; use one of http, eventbridge, sqs, bare, lane, sweep, cloudtrail, cloudformation, widget",
        "POLICY_ALLOWED_INSTANCES has `*`, which is not an instance id or ARN",
        "POLICY_BLOCKED_EXTENSIONS `*.exe` must be 1 to 10 letters, digits, `-` or `_`, such as `pdf`; wildcards are not supported",
        "POLICY_MAX_SIZE_BYTES must be a number of bytes, not `20 MB`",
        "POLICY_ALLOW_EMPTY_EXTENSIONS must be `true` or `false`, not `yes`",
        "CONNECT_REQUESTS_PER_SECOND must be 0.01 to 1000 calls per second, not `NaN`",
        "CONNECT_BURST must be 1 to 1000, not `0`",
        "CONNECT_QUOTA must be `per-operation` or `shared`, not `both`",
        "CONNECT_MAX_ATTEMPTS must be 1 to 100, not `-1`",
        "CONNECT_ROLE_ARNS has `arn:aws:iam::444455556666:user/x`, which is not a role ARN",
        "LEDGER_RETENTION_DAYS must be 1 to 3650, not `0`",
        "MAX_STALLED_DELIVERIES must be 1 to 900, not `1000`",
        "LEDGER_TABLE must be the name of a table, not `my table`",
        "CHANGE_QUEUE_URL must be a queue URL, not `changes.fifo`",
        "CHANGE_QUEUE_URL needs LEDGER_TABLE",
        "AWS_REGION is missing; Lambda sets it",
        "CONNECT_REGIONS has `*`, `eu-central`, which is not the name of a Region",
    ];
    assert_eq!(wrong.0, expected);
}

#[test]
fn a_list_that_names_nothing_does_not_lift_the_limit_it_sets() {
    let lists = [
        "ACCEPTED_TRIGGERS",
        "POLICY_ALLOWED_INSTANCES",
        "POLICY_BLOCKED_EXTENSIONS",
        "CONNECT_ROLE_ARNS",
        "CONNECT_REGIONS",
    ];
    for name in lists {
        assert_eq!(read(&[(name, " , ")]).unwrap_err().0, [format!("{name} has no entries: `,`")]);
        assert!(read(&[(name, " ")]).is_ok());
    }
}

#[test]
fn a_region_that_could_lead_a_call_elsewhere_is_an_error() {
    for region in ["us-east", "us-east-1.example.org", "us-east-1/x"] {
        let error = format!("AWS_REGION must be the name of a Region, not `{region}`");
        assert_eq!(read(&[("AWS_REGION", region)]).unwrap_err().0, [error]);
    }
    let sovereign = read(&[("AWS_REGION", "eusc-de-east-1")]).unwrap();
    assert_eq!(sovereign.region.as_str(), "eusc-de-east-1");
}

#[test]
fn regions_are_of_the_own_partition() {
    for (own, list, error) in [
        (
            "us-east-1",
            "us-gov-west-1,eu-west-2, cn-north-1",
            Some("`us-gov-west-1`, `cn-north-1`, which is not in partition `aws`"),
        ),
        ("cn-north-1", "eu-west-2", Some("`eu-west-2`, which is not in partition `aws-cn`")),
        ("cn-north-1", "cn-northwest-1", None),
        ("us-gov-west-1", "us-gov-east-1,us-gov-west-1", None),
        ("eusc-de-east-1", "eusc-de-east-1", None),
    ] {
        let error = error.map(|error| vec![format!("CONNECT_REGIONS has {error} as AWS_REGION is")]);
        assert_eq!(read(&[("AWS_REGION", own), ("CONNECT_REGIONS", list)]).err().map(|wrong| wrong.0), error);
    }
    let both = read(&[("CONNECT_REGIONS", "x,cn-north-1")]).unwrap_err().0;
    let error = "CONNECT_REGIONS has `x`, which is not the name of a Region, and has `cn-north-1`, which is not in \
        partition `aws` as AWS_REGION is";
    assert_eq!(both, [error]);
}

#[test]
fn roles_are_one_of_each_account() {
    let (one, two) = ("arn:aws:iam::444455556666:role/a", "arn:aws-eusc:iam::777788889999:role/b");
    let settings = read(&[("CONNECT_ROLE_ARNS", &format!("{one},{two}"))]).unwrap();
    let roles: Vec<_> = settings.connect.roles.values().map(RoleArn::as_str).collect();
    assert_eq!(roles, [one, two]);
    let same = format!("{one},arn:aws:iam::444455556666:role/b");
    let error = "CONNECT_ROLE_ARNS has two roles for account 444455556666".to_owned();
    assert_eq!(read(&[("CONNECT_ROLE_ARNS", &same)]).unwrap_err().0, [error]);
}

#[test]
fn the_ledger_and_its_queues_go_together() {
    let table = ("LEDGER_TABLE", "attachment-policies");
    let changes = ("CHANGE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/changes.fifo");
    let intake = ("INTAKE_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/intake.fifo");
    assert!(read(&[table, changes]).is_ok());
    assert!(read(&[table, changes, intake]).is_ok());
    // a worker sends nothing, and who shows a page neither
    for triggers in ["lane", "widget", "lane,widget"] {
        assert!(read(&[table, ("ACCEPTED_TRIGGERS", triggers)]).is_ok());
    }
    let gives_way =
        |triggers| read(&[table, changes, ("ACCEPTED_TRIGGERS", triggers)]).unwrap().connect.gives_way;
    assert_eq!([gives_way("lane"), gives_way("http"), gives_way("lane,http")], [true, false, false]);
    for (variables, error) in [
        (&[table][..], "LEDGER_TABLE needs CHANGE_QUEUE_URL"),
        (&[table, ("ACCEPTED_TRIGGERS", "lane,sweep")], "LEDGER_TABLE needs CHANGE_QUEUE_URL"),
        (&[changes], "CHANGE_QUEUE_URL needs LEDGER_TABLE"),
        (&[intake], "INTAKE_QUEUE_URL needs LEDGER_TABLE"),
        (&[("ACCEPTED_TRIGGERS", "lane")], "ACCEPTED_TRIGGERS has lane, which needs LEDGER_TABLE"),
        (&[("ACCEPTED_TRIGGERS", "sweep")], "ACCEPTED_TRIGGERS has sweep, which needs LEDGER_TABLE"),
        (&[("ACCEPTED_TRIGGERS", "widget")], "ACCEPTED_TRIGGERS has widget, which needs LEDGER_TABLE"),
    ] {
        assert_eq!(read(variables).unwrap_err().0, [error], "{variables:?}");
    }
}
