//! When a data set is done, and what of that is open (the workflow's WR22).
//!
//! Invariant: a goal of which nothing is known is open, never met.

use serde_json::{Value, json};

use super::gate::Gate;
use super::warnings::{self, Rate};

/// One condition of being done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// A name for programs.
    pub name: &'static str,
    /// It is met.
    pub is_met: bool,
    /// What there is, or what is missing.
    pub says: String,
}

/// What the conditions are told by.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The gates of all batches, in order.
    pub gates: &'a [Gate],
    /// Transcripts that passed and that nobody rejected.
    pub usable: usize,
    /// How many are wanted.
    pub target: Option<usize>,
    /// Transcript files, and those of them with errors.
    pub files: usize,
    /// Files with errors, by name.
    pub broken: &'a [String],
    /// What an audit flags; `None` where it could not read everything.
    pub flags: Option<usize>,
}

/// The batches' pass rates, in order.
#[must_use]
pub fn rates(gates: &[Gate]) -> Vec<Rate> {
    let rate = |gate: &Gate| Rate {
        batch: gate.batch.clone(),
        passed: gate.passed,
        counted: gate.transcripts - gate.too_short,
    };
    gates.iter().map(rate).collect()
}

/// Every condition of being done.
#[must_use]
pub fn of(progress: Progress<'_>) -> Vec<Goal> {
    let goal = |name, is_met, says: String| Goal { name, is_met, says };
    let usable = progress.usable;
    let enough = match progress.target {
        Some(target) => {
            let says = format!("{usable} of {target} transcripts passed and not rejected");
            goal("target", usable >= target, says)
        }
        None => {
            let says = format!(
                "no target is set (`target.transcripts` in rubricator.toml); {usable} passed and not rejected"
            );
            goal("target", false, says)
        }
    };
    let stable = match warnings::stable(&rates(progress.gates)) {
        Ok(()) => goal("stable", true, "the last three batches passed at 70 % or more".into()),
        Err(why) => goal("stable", false, format!("no stable pass rate yet: {why}")),
    };
    let undeclared: Vec<&str> =
        progress.gates.iter().filter(|g| !g.satisfactory).map(|g| g.batch.as_str()).collect();
    let batches = progress.gates.len();
    let satisfied = match undeclared.len() {
        0 if batches > 0 => {
            goal("satisfied", true, "every batch is declared satisfactory".to_owned())
        }
        0 => goal("satisfied", false, "there is no batch to be satisfied with".to_owned()),
        n => {
            let names = super::gate::listed(&undeclared);
            let says = format!("{n} of {batches} batches not declared satisfactory: {names}");
            goal("satisfied", false, says)
        }
    };
    let audited = match progress.flags {
        Some(0) if progress.files > 0 => goal("audited", true, "an audit flags nothing".into()),
        Some(0) => goal("audited", false, "there is nothing to audit".into()),
        Some(n) => {
            let says = format!("an audit flags {n}: `rubricator audit` says what and where");
            goal("audited", false, says)
        }
        None => goal("audited", false, "an audit cannot read every file".into()),
    };
    let broken: Vec<&str> = progress.broken.iter().map(String::as_str).collect();
    let files = progress.files;
    let valid = match broken.len() {
        0 if files > 0 => goal("valid", true, "no file has errors".to_owned()),
        0 => goal("valid", false, "there are no transcript files".to_owned()),
        n => {
            let names = super::gate::listed(&broken);
            goal("valid", false, format!("{n} of {files} files with errors: {names}"))
        }
    };
    vec![enough, stable, satisfied, audited, valid]
}

impl Goal {
    /// As `status --format json` prints it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"name": self.name, "met": self.is_met, "says": self.says})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::log::Satisfaction;
    use expect_test::{Expect, expect};

    fn check(progress: Progress<'_>, expected: Expect) {
        let line = |g: &Goal| format!("{} {}", if g.is_met { "met " } else { "open" }, g.says);
        let lines: Vec<String> = of(progress).iter().map(line).collect();
        expected.assert_eq(&lines.join("\n"));
    }

    fn gate(name: &str, passed: usize, counted: usize, satisfactory: bool) -> Gate {
        let gate = Gate::of(name, &[], Satisfaction::Undeclared);
        Gate { passed, transcripts: counted, satisfactory, ..gate }
    }

    #[test]
    fn what_is_open_is_named() {
        let nothing =
            Progress { gates: &[], usable: 0, target: None, files: 0, broken: &[], flags: Some(0) };
        check(
            nothing,
            expect![[r#"
            open no target is set (`target.transcripts` in rubricator.toml); 0 passed and not rejected
            open no stable pass rate yet: 0 of 3 batches to tell by
            open there is no batch to be satisfied with
            open there is nothing to audit
            open there are no transcript files"#]],
        );
        let gates = [gate("b1", 4, 5, true), gate("b2", 4, 5, false), gate("b3", 5, 5, true)];
        let broken = ["b2".to_owned()];
        let some = Progress {
            gates: &gates,
            usable: 13,
            target: Some(100),
            files: 3,
            broken: &broken,
            flags: Some(2),
        };
        check(
            some,
            expect![[r#"
            open 13 of 100 transcripts passed and not rejected
            met  the last three batches passed at 70 % or more
            open 1 of 3 batches not declared satisfactory: b2
            open an audit flags 2: `rubricator audit` says what and where
            open 1 of 3 files with errors: b2"#]],
        );
        let done = [gate("b1", 4, 5, true), gate("b2", 4, 5, true), gate("b3", 5, 5, true)];
        check(
            Progress { gates: &done, target: Some(13), broken: &[], flags: Some(0), ..some },
            expect![[r#"
            met  13 of 13 transcripts passed and not rejected
            met  the last three batches passed at 70 % or more
            met  every batch is declared satisfactory
            met  an audit flags nothing
            met  no file has errors"#]],
        );
    }
}
