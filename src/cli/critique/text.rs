//! A critique for people: who speaks, what they found and where, what to do first.

use crate::cli::report::columns;
use crate::cli::style::{Style, plain, wrap};
use crate::review::critique::{Critique, Critiques, Finding};

/// The critique's lines.
pub fn shown(
    critique: &Critique,
    known: &Critiques,
    place: &dyn Fn(&Finding) -> String,
    style: Style,
) -> String {
    let columns = columns();
    let title = format!("{}  by {} ({})", critique.file, critique.judge, critique.model);
    let mut text = format!("{}\n", style.bold(&plain(&title)));
    let say = |text: &mut String, indent: usize, what: &str| {
        for line in wrap(&plain(what), columns.saturating_sub(indent).max(20)) {
            text.push_str(&format!("{:indent$}{line}\n", ""));
        }
    };
    for (name, voices) in [("experts", &critique.experts), ("difficult users", &critique.users)] {
        say(&mut text, 2, &format!("{name}:"));
        for voice in voices {
            say(&mut text, 4, &format!("{}: {}", voice.name, voice.says));
        }
    }
    for finding in &critique.findings {
        let said = &finding.said;
        let decided = known.decision(&finding.id);
        let decided = decided.map_or("", |d| if d.accepted { ", accepted" } else { ", dismissed" });
        let head = format!("{}  {}{decided}", finding.id, said.kind.replace('-', " "));
        let place = style.dim(&plain(&place(finding)));
        text += &format!("\n{}  {place}\n", style.bold(&plain(&head)));
        if !said.quote.is_empty() {
            say(&mut text, 4, &format!("“{}”", said.quote));
        }
        say(&mut text, 4, &said.says);
        if !said.voices.is_empty() {
            say(&mut text, 4, &format!("({})", said.voices.join(", ")));
        }
        if !said.question.is_empty() {
            say(&mut text, 4, &format!("would ask: {}", said.question));
        }
    }
    text.push('\n');
    say(&mut text, 2, &critique.synthesis);
    text
}
