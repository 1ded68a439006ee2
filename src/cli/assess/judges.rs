//! Which judges `assess` asks.

use super::Run;
use crate::cli::Failure;
use crate::config::{self, Judge};
use crate::text::nearest::nearest;

impl Run<'_> {
    /// The judges to ask: all, or those that `--judge` names.
    pub(super) fn judges(&self, settings: &config::Settings) -> Result<Vec<Judge>, Failure> {
        let known = || settings.judges.iter().map(|j| j.name.as_str());
        for name in &self.args.judge {
            if known().any(|k| k == name) {
                continue;
            }
            let advice = match nearest(name, known()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if settings.judges.is_empty() => "the settings declare no judge".to_owned(),
                None => format!("known are {}", known().collect::<Vec<_>>().join(", ")),
            };
            return Err(Failure::new(format!("there is no judge `{name}`: {advice}")));
        }
        let wanted = |j: &&Judge| self.args.judge.is_empty() || self.args.judge.contains(&j.name);
        Ok(settings.judges.iter().filter(wanted).cloned().collect())
    }
}
