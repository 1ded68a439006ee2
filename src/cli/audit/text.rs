//! An audit for people.

use crate::audit::Share;
use crate::cli::report::{counted, grouped};
use crate::cli::style::{Style, plain};
use crate::engine::audit::Audited;
use crate::engine::scan::Source;

/// Instances shown of a flag.
const SHOWN: usize = 3;
/// Flags of one name that are shown.
const SAME: usize = 10;

/// The flags with some of their places, and what was counted.
pub fn report(audited: &Audited, sources: &[Source], color: bool) -> String {
    let (tally, flags) = (&audited.found.tally, &audited.flags);
    let style = Style::new(color);
    let mut text = String::new();
    for (index, flag) in flags.iter().enumerate() {
        let before = flags[..index].iter().filter(|f| f.name == flag.name).count();
        if before == SAME {
            let more = flags[index..].iter().filter(|f| f.name == flag.name).count();
            text += &format!("{}  and {more} more\n", style.dim(flag.name));
        }
        if before >= SAME {
            continue;
        }
        text += &format!("{}  {}\n", style.bad(flag.name), plain(&flag.message));
        for one in flag.instances.iter().take(SHOWN) {
            let (line, column) = one.placed.from;
            let place =
                plain(&format!("{}:{line}:{column}", sources[one.source].shown())).into_owned();
            let transcript = one.placed.finding.transcript.as_deref().unwrap_or_default();
            let exchange = one.placed.finding.exchange;
            let exchange = exchange.map_or_else(String::new, |n| format!(" exchange {n}"));
            text += &format!("    {}  {}{exchange}\n", style.dim(&place), plain(transcript));
        }
    }
    let percent = |(all, some): (usize, usize)| some as f64 / all.max(1) as f64 * 100.0;
    let (replies, transcripts) = (grouped(tally.replies), counted(tally.transcripts, "transcript"));
    text += &format!("{replies} replies in {transcripts}");
    if let (Some(mean), Some(over)) = (tally.mean_ratio(), tally.over_share()) {
        text += &format!(
            ": {mean:.2} words for each of the user's, {:.0} % over twice; praise in {:.0} % of early and {:.0} % of late replies",
            over * 100.0,
            percent(tally.early),
            percent(tally.late)
        );
    }
    let flagged = match flags.len() {
        0 => style.good("nothing is flagged"),
        n => style.bad(&counted(n, "flag")),
    };
    text + "\n" + &mix(&audited.mix, &style) + &flagged + "\n"
}

/// How the transcripts were made, beside what was asked for.
fn mix(shares: &[Share], style: &Style) -> String {
    let percent = |share: f64| (share * 100.0).round();
    let line = |one: &Share| {
        let Share { kind, name, of, share, target, .. } = one;
        let target = target.map_or_else(String::new, |t| format!("; asked for {} %", percent(t)));
        let off = if one.is_off() { style.bad("  off") } else { String::new() };
        format!(
            "    {kind:<9} {:<31} {:>3} % of {} ({} to {} %){target}{off}\n",
            plain(name),
            percent(share.value),
            grouped(*of),
            percent(share.low),
            percent(share.high),
        )
    };
    let lines: String = shares.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("as the transcripts say they were made\n{lines}") }
}
