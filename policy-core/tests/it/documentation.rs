//! docs/problems.md explains every name that callers match on, in the code's order, and no other.

use policy_core::failure::ErrorCode;
use policy_core::function_error::FunctionErrorType;
use policy_core::policy::ViolationCode;
use policy_core::policy::document::{Field, ObjectKind};
use policy_core::problem::Problem;
use serde_json::Value;
use std::collections::BTreeSet;

const PROBLEMS: &str = include_str!("../../../docs/problems.md");
const SCHEMA: &str = include_str!("../../../docs/schema/policy-change.schema.json");
const GRAMMAR: &str = include_str!("../../../docs/policy-change.md");

fn section<'d>(heading: &str) -> &'d str {
    PROBLEMS.split("\n## ").find(|section| section.lines().next() == Some(heading)).unwrap()
}

/// The names in the first column of the table under a heading.
fn rows(heading: &str) -> Vec<&str> {
    let cells = section(heading).lines().filter_map(|line| line.strip_prefix("| `"));
    cells.filter_map(|cells| cells.split_once("` |")).map(|(name, _)| name).collect()
}

/// The fields of a policy change, by name.
fn fields() -> BTreeSet<&'static str> {
    let fields = Field::ALL.iter().filter(|field| field.belongs_to(ObjectKind::Change));
    fields.map(|field| field.name()).collect()
}

#[test]
fn the_schema_of_events_has_every_field_in_both_spellings() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let change = &schema["definitions"]["change"];
    let names = |of: &str| -> BTreeSet<String> { change[of].as_object().unwrap().keys().cloned().collect() };
    assert_eq!(names("properties"), fields().into_iter().map(str::to_owned).collect());
    let pascal = |name: &str| format!("^{}{}$", name[..1].to_ascii_uppercase(), &name[1..]);
    assert_eq!(names("patternProperties"), fields().into_iter().map(pascal).collect());
}

#[test]
fn every_field_has_its_place_in_the_table_of_fields() {
    let table = GRAMMAR.split("\n## ").find(|section| section.starts_with("Fields\n")).unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
    let names = cells.flat_map(|(cell, _)| cell.split('`').step_by(2).map(str::trim));
    let names: BTreeSet<_> = names.filter(|name| !name.is_empty()).collect();
    assert_eq!(names, fields());
}

#[test]
fn every_violation_code_has_its_row() {
    let names: Vec<_> = ViolationCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(rows("Violation codes"), names);
}

#[test]
fn every_result_error_code_has_its_row() {
    let names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(rows("Result error codes"), names);
}

#[test]
fn every_result_error_codes_row_says_whether_a_retry_helps_and_under_which_names_it_comes() {
    let mut aliases = 0;
    for row in section("Result error codes").lines().filter_map(|line| line.strip_prefix("| `")) {
        let (name, rest) = row.split_once("` | ").unwrap();
        let (retry, rest) = rest.split_once(" | ").unwrap();
        let code = *ErrorCode::ALL.iter().find(|code| code.name() == name).unwrap();
        assert_eq!(retry, if code.is_retryable() { "yes" } else { "no" }, "{name}");
        let meaning = rest.split_once(" | ").unwrap().0;
        for alias in meaning.split_once("also as ").map_or("", |(_, names)| names).split(", ") {
            let alias = alias.trim_matches('`');
            if !alias.is_empty() {
                assert_eq!(ErrorCode::of_service(alias), Some(code), "{alias}");
                aliases += 1;
            }
        }
    }
    assert_eq!(aliases, 9);
}

#[test]
fn every_function_error_type_has_its_row() {
    let names: Vec<_> = FunctionErrorType::ALL.iter().map(|error| error.name()).collect();
    assert_eq!(rows("Function error types"), names);
}

#[test]
fn every_problem_type_has_its_section_with_its_status() {
    let parts = section("Problem types").split("\n### ").skip(1);
    let documented: Vec<(&str, &str)> = parts
        .map(|part| {
            let (name, rest) = part.split_once("\n\n").unwrap();
            (name, rest.split_once(". ").unwrap().0)
        })
        .collect();
    let coded: Vec<_> =
        Problem::ALL.iter().map(|problem| (problem.name(), problem.status().to_string())).collect();
    let coded: Vec<_> = coded.iter().map(|(name, status)| (*name, status.as_str())).collect();
    assert_eq!(documented, coded);
}
