//! A bar for work whose share done is known, on a terminal only.
//!
//! Invariant: it stands on standard error and is gone when it is dropped.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Session;

/// Steps of a whole bar.
const WHOLE: u64 = 1000;

/// A bar.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar with this word before it; hidden where nobody watches.
    #[must_use]
    pub fn new(doing: &'static str, session: &Session) -> Self {
        let hidden = !session.out.watched;
        let target =
            if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(WHOLE), target);
        let form = "{msg} {bar:30} {percent:>3} % {elapsed}";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_message(doing);
        Self(bar)
    }

    /// This share is done, from 0 to 1.
    pub fn share(&self, share: f64) {
        self.0.set_position((share * WHOLE as f64) as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
