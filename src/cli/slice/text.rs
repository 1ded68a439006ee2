//! What `slice` says to people.

use std::path::PathBuf;

use crate::cli::report::{counted, grouped};
use crate::cli::settings::shown_path;
use crate::cli::style::{Style, plain};
use crate::engine::slicing::cut::{Cut, Cutter};
use crate::engine::slicing::{Choice, Sums};
use crate::slice::{Leak, Side};

/// Leaks that are named.
const NAMED: usize = 5;

/// Where a transcript is cut: `t1  train  3 6 8 13 15`, what is dropped with its size.
pub fn map(cut: &Cut, color: bool) -> String {
    let style = Style::new(color);
    let kept = cut.pieces.iter().map(|p| (p.point, p.point.to_string()));
    let over = cut.over.iter().map(|(point, tokens)| {
        (*point, style.bad(&format!("{point} (over: {})", grouped(*tokens))))
    });
    let lost = cut
        .uncounted
        .iter()
        .map(|(point, _)| (*point, style.bad(&format!("{point} (not counted)"))));
    let mut points: Vec<(usize, String)> = kept.chain(over).chain(lost).collect();
    points.sort_by_key(|(point, _)| *point);
    let points: Vec<String> = points.into_iter().map(|(_, shown)| shown).collect();
    let points = if cut.is_short { style.dim("under 3 exchanges") } else { points.join(" ") };
    format!("{:<10} {}  {points}", cut.side.name(), style.bold(&plain(&cut.id)))
}

/// The same words on both sides.
pub fn leaks(leaks: &[Leak<usize>], names: &[String]) -> String {
    let mut pairs: Vec<&Leak<usize>> = Vec::new();
    for leak in leaks {
        if !pairs.iter().any(|p| (p.first.0, p.again.0) == (leak.first.0, leak.again.0)) {
            pairs.push(leak);
        }
    }
    let mut text = format!(
        "{} would be both trained on and validated on, so nothing was written:",
        counted(leaks.len(), "slice")
    );
    for leak in pairs.iter().take(NAMED) {
        let name =
            |(place, side): (usize, Side)| format!("{} [{}]", plain(&names[place]), side.name());
        text += &format!(
            "\n  {} and {} say the same in exchanges 1 to {}",
            name(leak.first),
            name(leak.again),
            leak.point
        );
    }
    if pairs.len() > NAMED {
        text += &format!("\n  and {} more", counted(pairs.len() - NAMED, "pair"));
    }
    text + "\n  Give such transcripts one `persona.id`, so that they fall on one side, or remove all but one"
}

/// What was made, of what, and what was left out.
pub fn summary(
    choice: &Choice,
    sums: &Sums,
    cutter: &Cutter<'_>,
    written: Option<&[PathBuf]>,
) -> String {
    let [training, validation] = sums.sides;
    let side = |(transcripts, slices): (usize, usize), name: &str| {
        format!("{} {name} from {}", counted(slices, "slice"), counted(transcripts, "transcript"))
    };
    let mut lines =
        vec![format!("{}, {}", side(training, "to train on"), side(validation, "to validate on"))];
    if let Some((low, high, sum)) = sums.tokens {
        let mean = sum / (training.1 + validation.1).max(1);
        lines.push(format!(
            "{} to {} tokens, {} on average; at most {} as {} counts",
            grouped(low),
            grouped(high),
            grouped(mean),
            grouped(cutter.limit),
            cutter.counter.counter().label()
        ));
    }
    let mut left: Vec<String> = choice
        .not_passed
        .iter()
        .map(|(standing, n)| format!("{} {}", grouped(*n), standing.name()))
        .collect();
    if choice.rejected > 0 {
        left.push(format!("{} rejected by a person", grouped(choice.rejected)));
    }
    if sums.short > 0 {
        left.push(format!("{} with under 3 exchanges", grouped(sums.short)));
    }
    if !left.is_empty() {
        lines.push(format!("left out: {}", left.join(", ")));
    }
    if sums.over > 0 {
        lines.push(format!("{} over the limit dropped", counted(sums.over, "slice")));
    }
    if let (1.., Some(why)) = &sums.uncounted {
        lines.push(format!(
            "{} dropped, because the chat template cannot render them: {}",
            counted(sums.uncounted.0, "slice"),
            plain(why)
        ));
    }
    if validation.1 == 0 && cutter.split.validation > 0.0 && training.1 > 0 {
        lines.push("nothing is held back: with so few personas none fell under the share; more transcripts, another --seed or a larger --validation would".into());
    }
    if let Some(written) = written {
        let names: Vec<String> = written.iter().map(|path| shown_path(path)).collect();
        lines.push(format!("wrote {}", names.join(", ")));
    }
    lines.join("\n")
}
