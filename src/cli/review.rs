//! `review`: what a person says about transcripts, verdicts and batches.
//!
//! Invariant: every record is bound to the text and the rubric it was said of;
//! what is ambiguous is asked back, never guessed.

mod desk;
mod page;
mod screen;

use std::path::PathBuf;

use super::args::{Answer, DataFormat, Review as Args, ReviewAction, RightOrWrong};
use super::gate::{Kept, batch_digest, batches};
use super::known::{self, Shelf, hex};
use super::report::counted;
use super::style::{Style, plain};
use super::{Ending, Failure, Session};
use crate::assessment::{JudgeScorecard, Scorecard};
use crate::engine::{reviews, workspace};
use crate::review::answer::Unclear;
use crate::review::next::Reason;
use crate::review::{Kind, Record, answer};
use crate::rubric::{Verdict, digest};
use crate::text::nearest::nearest;
use crate::transcript::TranscriptDigest;

/// Transcripts that `next` lists unless told otherwise.
const LISTED: usize = 5;

/// One transcript, as reviewing needs it.
struct Read {
    id: String,
    place: String,
    batch: String,
    digest: TranscriptDigest,
    card: Scorecard,
}

/// Does what was typed.
pub fn run(args: &Args, session: &mut Session) -> Result<Ending, Failure> {
    let by = args.by.clone().unwrap_or_else(reviews::reviewer);
    let paths = &args.paths;
    match &args.action {
        None if screen::is_there() => desk::run(paths, &by, session),
        None => next(paths, LISTED, DataFormat::Text, session),
        Some(ReviewAction::Next { count, format }) => next(paths, *count, *format, session),
        Some(ReviewAction::Accept { id, note }) => {
            judge(paths, id, Kind::Accept, note.as_deref(), &by, session)
        }
        Some(ReviewAction::Reject { id, note }) => {
            judge(paths, id, Kind::Reject, note.as_deref(), &by, session)
        }
        Some(ReviewAction::Mark(mark)) => self::mark(paths, mark, &by, session),
        Some(ReviewAction::Example(example)) => super::examples::run(paths, example, session),
        Some(ReviewAction::Note { text, transcript }) => {
            missing(paths, text, transcript.as_deref(), &by, session)
        }
        Some(ReviewAction::Satisfactory { batch, note }) => {
            satisfactory(paths, batch, note.as_deref(), &by, session)
        }
    }
}

fn read(paths: &[PathBuf], session: &mut Session) -> Result<Vec<Shelf<Read>>, Failure> {
    known::read(paths, session, |entry, card, _| Read {
        id: entry.transcript.id.clone(),
        place: format!("{}:{}", entry.file, entry.line),
        batch: entry.batch,
        digest: entry.digest,
        card,
    })
}

fn next(
    paths: &[PathBuf],
    count: usize,
    format: DataFormat,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let shelves = read(paths, session)?;
    let mut due: Vec<(Reason, &Read)> = Vec::new();
    let mut all = 0;
    for shelf in &shelves {
        all += shelf.kept.len();
        for one in &shelf.kept {
            let digest = one.digest.to_string();
            let review = shelf.reviews.review(shelf.bound(&one.id, &digest));
            due.extend(Reason::of(&one.card, review).map(|reason| (reason, one)));
        }
    }
    due.sort_by(|a, b| a.0.order().partial_cmp(&b.0.order()).unwrap_or(std::cmp::Ordering::Equal));
    let total = due.len();
    due.truncate(count);
    let style = Style::new(session.out.color);
    let row = |(reason, one): &(Reason, &Read)| {
        let score = one.card.score.map_or_else(|| "-".to_owned(), |s| format!("{s:.2}"));
        serde_json::json!({
            "id": one.id, "place": one.place, "batch": one.batch,
            "standing": one.card.standing.name(), "score": score, "reason": reason.words(),
        })
    };
    match format {
        DataFormat::Json => {
            let rows: Vec<_> = due.iter().map(row).collect();
            session.out.line(&format!("{:#}", serde_json::Value::Array(rows)));
        }
        DataFormat::Jsonl => due.iter().for_each(|one| session.out.line(&row(one).to_string())),
        DataFormat::Text => {
            for (reason, one) in &due {
                let score = one.card.score.map_or_else(|| "-".to_owned(), |s| format!("{s:.2}"));
                let (id, place) = (style.bold(&plain(&one.id)), plain(&one.place));
                let standing = one.card.standing.name();
                session
                    .out
                    .line(&format!("{standing:<10} {score:>4}  {id}  {}  {place}", reason.words()));
            }
            let all = counted(all, "transcript");
            session.out.note(&format!("{total} of {all} unreviewed"));
        }
    }
    Ok(Ending::Good)
}

/// The one transcript that an id, or FILE:LINE, names.
fn find<'a>(
    shelves: &'a [Shelf<Read>],
    wanted: &str,
) -> Result<(&'a Shelf<Read>, &'a Read), Failure> {
    let all = || shelves.iter().flat_map(|shelf| shelf.kept.iter().map(move |one| (shelf, one)));
    let hits: Vec<_> = all().filter(|(_, one)| one.id == wanted || one.place == wanted).collect();
    match hits.as_slice() {
        [one] => Ok(*one),
        [] => {
            let meant = nearest(wanted, all().map(|(_, one)| one.id.as_str()));
            let advice = meant.map_or_else(String::new, |id| format!("; did you mean `{id}`?"));
            Err(Failure::new(format!("there is no transcript `{wanted}` here{advice}")))
        }
        // The same text twice is one transcript, whichever place it is read at.
        [first, rest @ ..] if rest.iter().all(|hit| hit.1.digest == first.1.digest) => Ok(*first),
        _ => {
            let places: Vec<&str> = hits.iter().map(|(_, one)| one.place.as_str()).collect();
            let places = places.join(", ");
            Err(Failure::new(format!(
                "`{wanted}` is the id of several transcripts: name one by its place ({places})"
            )))
        }
    }
}

/// A record of this kind, with what every record has.
fn record(
    kind: Kind,
    rubric_digest: &str,
    by: &str,
    note: Option<&str>,
) -> Result<Record, Failure> {
    let record = reviews::record(kind, by, rubric_digest)
        .map_err(|e| Failure::new(format!("no record id: {e}")))?;
    Ok(Record { note: note.map(str::to_owned), ..record })
}

fn keep(root: &std::path::Path, record: &Record) -> Result<(), Failure> {
    reviews::append(root, record).map_err(|e| {
        let why = workspace::plain(&e).replace("read", "written");
        Failure::new(format!("the review was not kept: {} {why}", reviews::FILE))
    })
}

fn judge(
    paths: &[PathBuf],
    id: &str,
    kind: Kind,
    note: Option<&str>,
    by: &str,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let shelves = read(paths, session)?;
    let (shelf, one) = find(&shelves, id)?;
    let mut record = record(kind, &shelf.rubric_digest, by, note)?;
    record.transcript = Some(one.id.clone());
    record.transcript_digest = Some(one.digest.to_string());
    record.batch = Some(one.batch.clone());
    keep(&shelf.root, &record)?;
    let done = if kind == Kind::Accept { "accepted" } else { "rejected" };
    let standing = one.card.standing.name();
    session.out.line(&plain(&format!("{done} {} ({standing})", one.id)));
    Ok(Ending::Good)
}

fn mark(
    paths: &[PathBuf],
    mark: &super::args::Mark,
    by: &str,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let shelves = read(paths, session)?;
    let (shelf, one) = find(&shelves, &mark.id)?;
    let Some(criterion) = shelf.rubric.criterion(&mark.criterion) else {
        let ids = shelf.rubric.criteria.iter().map(|c| c.id.as_str());
        let advice = nearest(&mark.criterion, ids)
            .map_or_else(String::new, |id| format!("; did you mean `{id}`?"));
        let wanted = &mark.criterion;
        return Err(Failure::new(format!("the rubric has no criterion `{wanted}`{advice}")));
    };
    let said = said(&one.card, &criterion.id, mark.judge.as_deref())?;
    let human = human(&said, mark.is, mark.answer)
        .map_err(|why| Failure::new(format!("{} {}: {why}", one.id, criterion.id)))?;
    let mut record = record(Kind::Verdict, &shelf.rubric_digest, by, mark.note.as_deref())?;
    record.transcript = Some(one.id.clone());
    record.transcript_digest = Some(one.digest.to_string());
    record.criterion = Some(criterion.id.clone());
    record.criterion_digest = Some(hex(&digest::criterion(criterion)));
    record.judge.clone_from(&mark.judge);
    record.human = Some(human);
    keep(&shelf.root, &record)?;
    let (id, answer) = (&one.id, human.name());
    session.out.line(&plain(&format!("marked {id} {}: the answer is {answer}", criterion.id)));
    Ok(Ending::Good)
}

/// The verdicts on a criterion: of one judge where it is named, else of all.
fn said(card: &Scorecard, criterion: &str, judge: Option<&str>) -> Result<Vec<Verdict>, Failure> {
    let names = || card.judges.iter().map(|j| j.said.judge.as_str());
    if let Some(judge) = judge.filter(|judge| names().all(|name| name != *judge)) {
        let known = names().collect::<Vec<_>>().join(", ");
        return Err(Failure::new(format!("there is no judge `{judge}`: known are {known}")));
    }
    let wanted = |j: &&JudgeScorecard| judge.is_none_or(|judge| j.said.judge == judge);
    let verdict = |j: &JudgeScorecard| Some(j.said.outcomes.get(criterion)?.answer()?.verdict);
    let mut said: Vec<Verdict> = card.judges.iter().filter(wanted).filter_map(verdict).collect();
    said.sort_by_key(|verdict| verdict.name());
    said.dedup();
    Ok(said)
}

/// The human answer that "right" or "wrong" stands for.
fn human(
    said: &[Verdict],
    is: RightOrWrong,
    answer: Option<Answer>,
) -> Result<Verdict, &'static str> {
    let answer = answer.map(|answer| match answer {
        Answer::Yes => Verdict::Yes,
        Answer::No => Verdict::No,
        Answer::Na => Verdict::Na,
    });
    answer::human(said, is == RightOrWrong::Right, answer).map_err(|why| match why {
        Unclear::Same => "that is what was answered, so it cannot be wrong",
        Unclear::Unsaid => "no judge answered that, so it cannot be right",
        Unclear::Unanswered => "no judge has answered: give the answer with --answer",
        Unclear::Instead => "wrong in favour of what? Give --answer YES or NO",
        Unclear::Differ => {
            "the judges differ: name one with --judge, or give the answer with --answer"
        }
    })
}

fn missing(
    paths: &[PathBuf],
    text: &str,
    transcript: Option<&str>,
    by: &str,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let shelves = read(paths, session)?;
    let found = transcript.map(|id| find(&shelves, id)).transpose()?;
    let shelf = found.map(|(shelf, _)| shelf).or(shelves.first()).ok_or_else(|| {
        Failure::new("there is no project here to note it in: `rubricator init` makes one")
    })?;
    let mut record = record(Kind::Missing, &shelf.rubric_digest, by, Some(text))?;
    if let Some((_, one)) = found {
        record.transcript = Some(one.id.clone());
        record.transcript_digest = Some(one.digest.to_string());
    }
    keep(&shelf.root, &record)?;
    let noted = counted(shelf.reviews.missing().count() + 1, "missing criterion");
    session.out.line(&format!("noted; {}", noted.replace("criterions", "criteria")));
    Ok(Ending::Good)
}

fn satisfactory(
    paths: &[PathBuf],
    batch: &str,
    note: Option<&str>,
    by: &str,
    session: &mut Session,
) -> Result<Ending, Failure> {
    let shelves = known::read(paths, session, |entry, card, _| {
        Kept::of(&entry.transcript.id, &entry.batch, entry.digest, &card)
    })?;
    for shelf in &shelves {
        let all = batches(shelf);
        let Some((name, members)) = all.iter().find(|(name, _)| *name == batch) else { continue };
        let mut record = record(Kind::Satisfactory, &shelf.rubric_digest, by, note)?;
        record.batch = Some((*name).to_owned());
        record.transcript_digest = Some(batch_digest(members));
        keep(&shelf.root, &record)?;
        let size = counted(members.len(), "transcript");
        session.out.line(&plain(&format!("{name} is declared satisfactory ({size})")));
        return Ok(Ending::Good);
    }
    let names: Vec<&str> = shelves.iter().flat_map(batches).map(|(name, _)| name).collect();
    let advice = nearest(batch, names.iter().copied()).map_or_else(
        || format!("known are {}", names.join(", ")),
        |name| format!("did you mean `{name}`?"),
    );
    Err(Failure::new(format!("there is no batch `{batch}`: {advice}")))
}
