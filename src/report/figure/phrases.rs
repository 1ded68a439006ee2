//! Words that too many replies have in common.

use super::{Figure, counted};
use crate::report::html::short;
use crate::report::svg::{Anchor, Drawing, Scale};
use crate::report::table::percent;
use crate::report::{Cell, Phrase, Report, Table};

/// Phrases that are drawn; the table has all.
const DRAWN: usize = 20;

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let share = |phrase: &Phrase| phrase.counted.0 as f64 / phrase.counted.1.max(1) as f64;
    let mut sorted: Vec<&Phrase> = report.phrases.iter().filter(|p| p.counted.0 > 0).collect();
    sorted.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let mut table = Table::of(&["phrase", "kind", "replies", "of", "share", "flagged"]);
    for phrase in &sorted {
        let (some, all) = phrase.counted;
        table.rows.push(vec![
            (&*phrase.text).into(),
            kind(phrase).into(),
            some.into(),
            all.into(),
            Cell::share(some, all),
            if phrase.flagged { "yes" } else { "no" }.into(),
        ]);
    }
    let flagged = sorted.iter().filter(|phrase| phrase.flagged).count();
    let mut says = match sorted.len() {
        0 => "No phrase stands out.".to_owned(),
        n => format!("{} stand out; {flagged} flagged.", counted(n, "phrase")),
    };
    if !report.flags.is_empty() {
        says += " The audit also says: ";
        says += &report.flags.join(". ");
        says += ".";
    }
    Figure {
        name: "phrases",
        title: "Do replies repeat themselves?",
        drawing: (!sorted.is_empty()).then(|| drawing(report, &sorted, share)),
        says,
        how: "A bar is the share of replies that have these words, begin with them (opener) or end with them (ending). Over-used means that users hardly say it. The line is where a phrase is in more replies than the settings allow: add it to a `phrases` check and to the assistant's prompt.",
        table,
    }
}

fn kind(phrase: &Phrase) -> &'static str {
    match phrase.kind {
        "overused" => "over-used",
        other => other,
    }
}

fn drawing(report: &Report, sorted: &[&Phrase], share: impl Fn(&Phrase) -> f64) -> String {
    let shown = &sorted[..sorted.len().min(DRAWN)];
    let (left, right, row, top) = (250.0, 555.0, 26.0, 22.0);
    let x = Scale { domain: (0.0, 1.0), range: (left, right) };
    let bottom = top + row * shown.len() as f64;
    let mut out = Drawing::new(760.0, bottom + 28.0);
    for at in [0.0, 0.25, 0.5, 0.75, 1.0] {
        out.line("grid", (x.at(at), top), (x.at(at), bottom));
        out.text("tick", (x.at(at), bottom + 18.0), Anchor::Middle, &percent(at));
    }
    for (index, phrase) in shown.iter().enumerate() {
        let (y, value) = (top + row * index as f64, share(phrase));
        out.text(
            "label",
            (left - 10.0, y + 17.0),
            Anchor::End,
            &format!("“{}”", short(&phrase.text, 30)),
        );
        let class = if phrase.flagged { "fill-bad" } else { "fill-main" };
        let says =
            format!("“{}”: {} of {} replies", phrase.text, phrase.counted.0, phrase.counted.1);
        out.bar(class, (left, y + 3.0), ((x.at(value) - left).max(2.0), row - 7.0), &says);
        let flag = if phrase.flagged { " ▲ flagged" } else { "" };
        let says = format!("{} {}{flag}", percent(value), kind(phrase));
        out.text("value", (right + 10.0, y + 17.0), Anchor::Start, &says);
    }
    out.line("limit", (x.at(report.phrase_share), top - 6.0), (x.at(report.phrase_share), bottom));
    let name = format!("{} of replies", percent(report.phrase_share));
    out.text("limit-name", (x.at(report.phrase_share) + 5.0, top - 6.0), Anchor::Start, &name);
    out.finish(&format!("Phrases by the share of replies that have them; {} of them.", shown.len()))
}
