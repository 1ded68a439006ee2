//! `audit`: what is wrong with a data set as a whole.
//!
//! Invariant: nobody is asked and nothing is written. What a flag counts is exact,
//! and every flag names places.

mod text;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::args::{Audit as Args, GateFormat};
use super::bar::Bar;
use super::report::json as rows;
use super::scan::Source;
use super::shard::Shard;
use super::style::plain;
use super::{Ending, Failure, Session, targets};
use crate::audit::{Flag, Share, Targets};
use crate::config::Settings;
use crate::engine::audit::{Audited, Instance, Watch, audit, targets as targets_of};
use crate::engine::disk::DiskError;
use crate::report::Phrase;

/// Audits.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        return Err(Failure::new(
            "`audit` reads twice, so it cannot read standard input: name a file",
        ));
    }
    let mut sources = targets::transcripts(&args.paths, session)?;
    Shard::files(args.shard, &mut sources);
    let first = sources.first().map_or_else(|| PathBuf::from("."), |s| s.path().to_owned());
    let project = session.workspace.project_of(&first);
    if session.report_settings(&project) {
        return Err(Failure::new("the settings have errors, so nothing was audited"));
    }
    let bar = Bar::new("auditing", session);
    let tell = |share: f64| bar.share(share);
    let watch = Watch { stop: &|| false, tell: &tell };
    let targets = targets_of(project.root.as_deref());
    let audited = audit(project.settings(), &targets, &sources, &watch);
    drop(bar);
    let audited = audited.map_err(|e| Failure::new(plain(&e.to_string()).into_owned()))?;
    let Some(audited) = audited else { return Ok(Ending::Good) };
    let found = &audited.found;
    if found.unread > 0 {
        let n = super::report::counted(found.unread, "record");
        session
            .out
            .warning(&format!("{n} left out: no transcript there (`rubricator check` says why)"));
    }
    match args.format {
        GateFormat::Json => {
            session.out.line(&format!("{:#}", to_json(&audited, &sources)));
        }
        GateFormat::Text => {
            let text = text::report(&audited, &sources, session.out.color);
            session.out.write(&text);
        }
    }
    Ok(if audited.flags.is_empty() { Ending::Good } else { Ending::Findings })
}

/// The phrases that stand out, and what else is flagged, for a report.
///
/// # Errors
/// When a file cannot be read.
pub fn summary(
    settings: &Settings,
    sources: &[Source],
) -> Result<(Vec<Phrase>, Vec<String>), DiskError> {
    let nobody = Watch { stop: &|| false, tell: &|_| () };
    let Some(Audited { found, flags, .. }) =
        audit(settings, &Targets::default(), sources, &nobody)?
    else {
        return Ok((Vec::new(), Vec::new()));
    };
    let replies = found.tally.replies;
    let mut phrases = Vec::new();
    for (text, (count, _)) in settings.audit.phrases.iter().zip(&found.phrases) {
        let flagged =
            flags.iter().any(|f| f.name == "phrase" && f.phrase.as_deref() == Some(&**text));
        if !flagged {
            let counted = (*count, replies);
            phrases.push(Phrase { kind: "listed", text: text.as_str().into(), counted, flagged });
        }
    }
    let mut others = Vec::new();
    for flag in flags {
        match flag.phrase {
            Some(text) => phrases.push(Phrase {
                kind: flag.name,
                text: text.into(),
                counted: flag.counted,
                flagged: true,
            }),
            None => others.push(flag.message),
        }
    }
    Ok((phrases, others))
}

/// How many flags the transcripts of these files get.
///
/// # Errors
/// When one of them cannot be read.
pub fn flagged(settings: &Settings, sources: &[Source]) -> Result<usize, DiskError> {
    let nobody = Watch { stop: &|| false, tell: &|_| () };
    Ok(audit(settings, &Targets::default(), sources, &nobody)?
        .map_or(0, |audited| audited.flags.len()))
}

fn to_json(audited: &Audited, sources: &[Source]) -> Value {
    let tally = &audited.found.tally;
    let share = |(all, some): (usize, usize)| (all > 0).then(|| rounded(some as f64 / all as f64));
    json!({
        "transcripts": tally.transcripts, "replies": tally.replies,
        "mean_ratio": tally.mean_ratio().map(rounded),
        "over_ratio_share": tally.over_share().map(rounded),
        "early_praise": share(tally.early), "late_praise": share(tally.late),
        "mix": audited.mix.iter().map(share_json).collect::<Vec<_>>(),
        "flags": audited.flags.iter().map(|flag| flag_json(flag, sources)).collect::<Vec<_>>(),
    })
}

fn share_json(share: &Share) -> Value {
    let Share { kind, name, count, of, share: interval, target } = share;
    json!({
        "kind": kind, "name": name, "count": count, "of": of,
        "share": rounded(interval.value), "low": rounded(interval.low), "high": rounded(interval.high),
        "target": target, "off": share.is_off(),
    })
}

fn flag_json(flag: &Flag<Instance>, sources: &[Source]) -> Value {
    let row = |one: &Instance| -> Value {
        let row = rows::finding(&sources[one.source].shown(), &one.placed);
        serde_json::from_str(&row).unwrap_or_default()
    };
    json!({
        "flag": flag.name, "message": flag.message,
        "value": rounded(flag.measured.0), "threshold": flag.measured.1,
        "phrase": flag.phrase, "count": flag.counted.0, "of": flag.counted.1,
        "instances": flag.instances.iter().map(row).collect::<Vec<_>>(),
    })
}

/// To three decimals.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
