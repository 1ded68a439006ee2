//! The gate of a batch: may more like it be made? (SPEC 8)
//!
//! At least 70 % passed, every transcript reviewed, the batch declared
//! satisfactory: *scale*. Under 50 % passed: *revise*. Everything else: *iterate*.
//! The rate is over all transcripts but those too short. Source: the workflow's
//! rule WR11; the thresholds are counts, so exactly 70 % may scale and exactly
//! 50 % iterates.
//!
//! Invariant: what keeps a batch from scaling is named, transcript by transcript.

use serde_json::{Value, json};

use crate::assessment::Standing;
use crate::assessment::output::rounded;

use super::log::{Review, Satisfaction};

/// Transcripts named in one sentence at most.
const NAMED: usize = 5;

/// What to do with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Make more like it.
    Scale,
    /// Better the prompts or the rubric, and make another small batch.
    Iterate,
    /// Revise the prompts thoroughly.
    Revise,
}

impl Decision {
    /// The spelling in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scale => "scale",
            Self::Iterate => "iterate",
            Self::Revise => "revise",
        }
    }
}

/// One transcript of a batch.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its standing.
    pub standing: Standing,
    /// What people said of it.
    pub review: Review<'a>,
}

/// What a batch comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The batch.
    pub batch: String,
    /// Its transcripts.
    pub transcripts: usize,
    /// Of them, passed.
    pub passed: usize,
    /// Failed.
    pub failed: usize,
    /// Gated.
    pub gated: usize,
    /// Incomplete.
    pub incomplete: usize,
    /// Too short.
    pub too_short: usize,
    /// Passed over all but too short; `None` where that is nothing.
    pub pass_rate: Option<f64>,
    /// Reviewed as they stand.
    pub reviewed: usize,
    /// Declared satisfactory as it is.
    pub satisfactory: bool,
    /// What to do.
    pub decision: Decision,
    /// What keeps it from scaling, a sentence each.
    pub missing: Vec<String>,
}

impl Gate {
    /// The gate of a batch of these transcripts.
    #[must_use]
    pub fn of(batch: &str, members: &[Member<'_>], satisfaction: Satisfaction) -> Self {
        let standing = |wanted| members.iter().filter(|m| m.standing == wanted).count();
        let (passed, too_short) = (standing(Standing::Passed), standing(Standing::TooShort));
        let counted = members.len() - too_short;
        let reviewed = members.iter().filter(|m| m.review.counts()).count();
        let satisfactory = satisfaction == Satisfaction::Declared;
        let enough = counted > 0 && passed * 10 >= counted * 7;
        let decision = match (counted > 0 && passed * 2 < counted, enough) {
            (true, _) => Decision::Revise,
            (_, true) if reviewed == members.len() && satisfactory => Decision::Scale,
            _ => Decision::Iterate,
        };
        let mut gate = Self {
            batch: batch.to_owned(),
            transcripts: members.len(),
            passed,
            failed: standing(Standing::Failed),
            gated: standing(Standing::Gated),
            incomplete: standing(Standing::Incomplete),
            too_short,
            pass_rate: (counted > 0).then(|| passed as f64 / counted as f64),
            reviewed,
            satisfactory,
            decision,
            missing: Vec::new(),
        };
        gate.missing = gate.lacks(members, satisfaction, enough);
        gate
    }

    fn lacks(&self, members: &[Member<'_>], declared: Satisfaction, enough: bool) -> Vec<String> {
        let mut missing = Vec::new();
        let all = self.transcripts;
        match self.pass_rate {
            None => missing.push("no transcript is long enough to count".to_owned()),
            Some(rate) if !enough => {
                let counted = all - self.too_short;
                let percent = rate * 100.0;
                missing.push(format!(
                    "{} of {counted} passed ({percent:.0} %), 70 % is wanted",
                    self.passed
                ));
            }
            Some(_) => {}
        }
        let mut name = |what: &str, which: &dyn Fn(&Member<'_>) -> bool| {
            let ids: Vec<&str> = members.iter().filter(|m| which(m)).map(|m| m.id).collect();
            if !ids.is_empty() {
                missing.push(format!("{} of {all} {what}: {}", ids.len(), listed(&ids)));
            }
        };
        name("incomplete", &|m| m.standing == Standing::Incomplete);
        name("unreviewed", &|m| m.review == Review::None);
        name("changed since their review", &|m| matches!(m.review, Review::Stale(_)));
        match declared {
            Satisfaction::Declared => {}
            Satisfaction::Undeclared => missing.push("not declared satisfactory".into()),
            Satisfaction::Stale => {
                missing.push("declared satisfactory before the batch or the rubric changed".into());
            }
        }
        missing
    }

    /// As `gate --format json` prints it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "batch": self.batch,
            "transcripts": self.transcripts,
            "passed": self.passed,
            "failed": self.failed,
            "gated": self.gated,
            "incomplete": self.incomplete,
            "too_short": self.too_short,
            "pass_rate": rounded(self.pass_rate),
            "reviewed": self.reviewed,
            "satisfactory": self.satisfactory,
            "decision": self.decision.name(),
            "missing": self.missing,
        })
    }
}

/// `a, b, c and 4 more`.
pub(super) fn listed(ids: &[&str]) -> String {
    let named = ids[..ids.len().min(NAMED)].join(", ");
    match ids.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::record::Record;
    use expect_test::{Expect, expect};

    fn record() -> Record {
        let line = r#"{"id":"r","at":"2026-11-24T10:00:00Z","by":"A","kind":"accept","transcript":"t","transcript_digest":"d","rubric_digest":"r"}"#;
        Record::parse(line).unwrap()
    }

    /// `standings`: p(assed) f(ailed) g(ated) i(ncomplete) s(hort); upper case is unreviewed.
    fn check(standings: &str, satisfaction: Satisfaction, expected: Expect) {
        let record = record();
        let ids: Vec<String> = (1..=standings.len()).map(|n| format!("t{n}")).collect();
        let member = |(id, letter): (&'_ String, char)| {
            let standing = match letter.to_ascii_lowercase() {
                'p' => Standing::Passed,
                'f' => Standing::Failed,
                'g' => Standing::Gated,
                'i' => Standing::Incomplete,
                _ => Standing::TooShort,
            };
            let reviewed = letter.is_ascii_lowercase();
            (id.clone(), standing, reviewed)
        };
        let made: Vec<_> = ids.iter().zip(standings.chars()).map(member).collect();
        let members: Vec<Member<'_>> = made
            .iter()
            .map(|(id, standing, reviewed)| Member {
                id,
                standing: *standing,
                review: if *reviewed { Review::Accepted(&record) } else { Review::None },
            })
            .collect();
        let gate = Gate::of("b", &members, satisfaction);
        let rate = gate.pass_rate.map_or("-".to_owned(), |r| format!("{r:.2}"));
        let line = format!("{} {rate} {}", gate.decision.name(), gate.missing.join("; "));
        expected.assert_eq(line.trim_end());
    }

    #[test]
    fn exactly_seventy_percent_may_scale_and_exactly_fifty_iterates() {
        let yes = Satisfaction::Declared;
        check("pppppppfff", yes, expect!["scale 0.70"]);
        check("ppppppffff", yes, expect!["iterate 0.60 6 of 10 passed (60 %), 70 % is wanted"]);
        check("ppff", yes, expect!["iterate 0.50 2 of 4 passed (50 %), 70 % is wanted"]);
        check("pfffg", yes, expect!["revise 0.20 1 of 5 passed (20 %), 70 % is wanted"]);
    }

    #[test]
    fn too_short_ones_are_left_out_of_the_rate_but_want_reading() {
        check("ppps", Satisfaction::Declared, expect!["scale 1.00"]);
        check("pppS", Satisfaction::Declared, expect!["iterate 1.00 1 of 4 unreviewed: t4"]);
        check(
            "ss",
            Satisfaction::Declared,
            expect!["iterate - no transcript is long enough to count"],
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        check(
            "pPPPPPPPPi",
            Satisfaction::Undeclared,
            expect![
                "iterate 0.90 1 of 10 incomplete: t10; 8 of 10 unreviewed: t2, t3, t4, t5, t6 and 3 more; not declared satisfactory"
            ],
        );
        check(
            "pp",
            Satisfaction::Stale,
            expect!["iterate 1.00 declared satisfactory before the batch or the rubric changed"],
        );
    }
}
