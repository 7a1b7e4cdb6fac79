//! docs/problems.md explains every violation code, in the code's order, and no other.

use policy_core::policy::ViolationCode;

const PROBLEMS: &str = include_str!("../../../docs/problems.md");

/// The names in the first column of the table under a heading.
fn rows<'d>(document: &'d str, heading: &str) -> Vec<&'d str> {
    let section = document.split("\n## ").find(|section| section.lines().next() == Some(heading)).unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
    cells.filter_map(|cells| cells.split_once("` |")).map(|(name, _)| name).collect()
}

#[test]
fn every_violation_code_has_its_row() {
    let names: Vec<_> = ViolationCode::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(rows(PROBLEMS, "Violation codes"), names);
}
