//! When a save starts an assessment: at once, and further saves within the
//! settings' `debounce_ms` as one at its end.
//!
//! Invariant: no save is lost: after the last one a run starts, however many
//! autosaves came before. The time is given, never looked up.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tower_lsp_server::gen_lsp_types::Uri;

/// The saves of all documents.
#[derive(Debug, Default)]
pub struct Saves {
    gates: HashMap<Uri, Gate>,
}

#[derive(Debug)]
struct Gate {
    opens: Instant,
    waiting: bool,
}

impl Saves {
    /// A document was saved. True: start now; otherwise it becomes [`due`](Self::due).
    pub fn saved(&mut self, uri: &Uri, now: Instant, debounce: Duration) -> bool {
        match self.gates.get_mut(uri) {
            Some(gate) if now < gate.opens => {
                gate.waiting = true;
                false
            }
            _ => {
                self.gates.insert(uri.clone(), Gate { opens: now + debounce, waiting: false });
                true
            }
        }
    }

    /// When the next waiting save is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.gates.values().filter(|gate| gate.waiting).map(|gate| gate.opens).min()
    }

    /// The documents whose waiting saves are due; each starts a new wait.
    pub fn due(&mut self, now: Instant, debounce: Duration) -> Vec<Uri> {
        let mut due = Vec::new();
        for (uri, gate) in &mut self.gates {
            if gate.waiting && gate.opens <= now {
                *gate = Gate { opens: now + debounce, waiting: false };
                due.push(uri.clone());
            }
        }
        due
    }

    /// A document is gone.
    pub fn forget(&mut self, uri: &Uri) {
        self.gates.remove(uri);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn autosaves_become_one_run_at_the_end() {
        let uri = Uri("file:///a.jsonl".into());
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let wait = Duration::from_millis(1500);
        let mut saves = Saves::default();
        assert!(saves.saved(&uri, at(0), wait), "the first starts at once");
        assert_eq!(saves.deadline(), None);
        assert!(!saves.saved(&uri, at(100), wait));
        assert!(!saves.saved(&uri, at(1400), wait));
        assert_eq!(saves.deadline(), Some(at(1500)));
        assert!(saves.due(at(1499), wait).is_empty());
        assert_eq!(saves.due(at(1500), wait), std::slice::from_ref(&uri));
        assert_eq!(saves.deadline(), None);
        assert!(!saves.saved(&uri, at(1600), wait), "the run just started opens a new wait");
        assert_eq!(saves.deadline(), Some(at(3000)));
        saves.forget(&uri);
        assert_eq!(saves.deadline(), None);
        assert!(saves.saved(&uri, at(1700), wait));
    }
}
