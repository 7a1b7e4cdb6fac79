//! What the documents in docs/ list is what the code has.

use policy_core::policy::ViolationCode;
use policy_core::policy::document::{Field, ObjectKind};
use serde_json::Value;

const PROBLEMS: &str = include_str!("../../../docs/problems.md");
const SCHEMA: &str = include_str!("../../../docs/schema/policy-change.schema.json");

/// The names in the first column of the table under a heading.
fn rows<'d>(document: &'d str, heading: &str) -> Vec<&'d str> {
    let section = document.split("\n## ").find(|section| section.lines().next() == Some(heading)).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
    cells.filter_map(|cells| cells.split_once("` |")).map(|(name, _)| name).collect()
}

/// In the code's order, and no other.
#[test]
fn every_violation_code_has_its_row() {
    let names: Vec<_> = ViolationCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(rows(PROBLEMS, "Violation codes"), names);
}

#[test]
fn the_schema_has_every_field_of_a_change_and_no_other() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let properties = schema["definitions"]["change"]["properties"].as_object().unwrap();
    let mut documented: Vec<_> = properties.keys().map(String::as_str).collect();
    let of_change = Field::ALL.iter().filter(|field| field.belongs_to(ObjectKind::Change));
    let mut names: Vec<_> = of_change.map(|field| field.name()).collect();
    documented.sort_unstable();
    names.sort_unstable();
    assert_eq!(documented, names);
}
