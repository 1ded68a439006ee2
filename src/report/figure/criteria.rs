//! What fails: each criterion by each judge, and how far the judges agree on it.

use super::Figure;
use crate::report::html::short;
use crate::report::row::{fails, is_answer};
use crate::report::svg::{Anchor, Drawing, Scale, Shape};
use crate::report::table::percent;
use crate::report::{Cell, Report, Row, Table};

/// What was counted of one criterion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transcripts it was asked of.
    pub asked: usize,
    /// Transcripts on which somebody says that it fails.
    pub failed: usize,
    /// Transcripts on which somebody did not answer.
    pub unscored: usize,
    /// For each judge: failures, and answers.
    pub judges: Vec<(usize, usize)>,
    /// Transcripts on which all answers are the same, of those with two or more.
    pub agreed: (usize, usize),
}

impl Counts {
    /// Counts a criterion, by its place.
    #[must_use]
    pub fn of(report: &Report, at: usize) -> Self {
        let mut counts = Self { judges: vec![(0, 0); report.judges.len()], ..Self::default() };
        report.rows.iter().for_each(|row| counts.add(row, at));
        counts
    }

    fn add(&mut self, row: &Row, at: usize) {
        use crate::report::row::{NOT_ASKED, UNSCORED};
        let worst = row.worst().get(at).copied().unwrap_or(NOT_ASKED);
        let said: Vec<u8> =
            row.answers.iter().skip(1).filter_map(|all| all.get(at).copied()).collect();
        self.asked += usize::from(worst != NOT_ASKED);
        self.failed += usize::from(said.iter().any(|letter| fails(*letter)));
        self.unscored += usize::from(said.contains(&UNSCORED));
        for (judge, letter) in self.judges.iter_mut().zip(&said) {
            judge.0 += usize::from(fails(*letter));
            judge.1 += usize::from(is_answer(*letter));
        }
        let answers: Vec<u8> = said.into_iter().filter(|letter| is_answer(*letter)).collect();
        if let [first, rest @ ..] = &answers[..] {
            self.agreed.1 += usize::from(!rest.is_empty());
            self.agreed.0 +=
                usize::from(!rest.is_empty() && rest.iter().all(|other| other == first));
        }
    }
}

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let counts: Vec<Counts> = (0..report.criteria.len()).map(|at| Counts::of(report, at)).collect();
    let mut table =
        Table::of(&["criterion", "name", "kind", "asked", "failed", "share failed", "unscored"]);
    table.heads.extend(report.judges.iter().map(|judge| format!("failed by {judge}")));
    table.heads.extend(["agreement".into(), "compared".into()]);
    for (column, counts) in report.criteria.iter().zip(&counts) {
        let kind = match (column.gate, column.judged) {
            (true, _) => "safety gate",
            (false, true) => "question",
            (false, false) => "computed check",
        };
        let mut row: Vec<Cell> = vec![
            column.id.as_str().into(),
            column.name.as_str().into(),
            kind.into(),
            counts.asked.into(),
            counts.failed.into(),
            Cell::share(counts.failed, counts.asked),
            counts.unscored.into(),
        ];
        row.extend(counts.judges.iter().map(|(failed, of)| Cell::share(*failed, *of)));
        let compared = if column.judged { counts.agreed } else { (0, 0) };
        row.extend([Cell::share(compared.0, compared.1), compared.1.into()]);
        table.rows.push(row);
    }
    let says = says(report, &counts);
    let any = counts.iter().any(|counts| counts.judges.iter().any(|(_, of)| *of > 0));
    Figure {
        name: "criteria",
        title: "What fails, and do the judges agree?",
        drawing: any.then(|| drawing(report, &counts, &says)),
        says,
        how: "A mark is how often one judge says that a criterion fails, of the transcripts it answered for; marks far apart are judges that see it differently. On the right, how often all judges gave the same answer. Under 80 % the criterion wants calibration examples or a clearer question.",
        table,
    }
}

fn says(report: &Report, counts: &[Counts]) -> String {
    let share = |c: &Counts| c.failed as f64 / c.asked.max(1) as f64;
    let worst = report.criteria.iter().zip(counts).max_by(|a, b| share(a.1).total_cmp(&share(b.1)));
    let Some((column, most)) = worst.filter(|(_, counts)| counts.failed > 0) else {
        return "No criterion fails anywhere so far.".into();
    };
    let mut says = format!(
        "{} ({}) fails most often: in {} of {} transcripts.",
        column.id, column.name, most.failed, most.asked
    );
    let below = |c: &&(usize, &Counts)| c.1.agreed.1 > 0 && (c.1.agreed.0 * 10) < c.1.agreed.1 * 8;
    let split: Vec<&str> = counts
        .iter()
        .enumerate()
        .filter(|one| report.criteria[one.0].judged && below(&one))
        .map(|(at, _)| report.criteria[at].id.as_str())
        .collect();
    if !split.is_empty() {
        says += &format!(
            " Judges agree on fewer than 80 % of the transcripts on {}.",
            split.join(", ")
        );
    }
    says
}

fn drawing(report: &Report, counts: &[Counts], says: &str) -> String {
    let (left, right, row, top) = (220.0, 600.0, 26.0, 44.0);
    let x = Scale { domain: (0.0, 1.0), range: (left, right) };
    let bottom = top + row * counts.len() as f64;
    let mut out = Drawing::new(760.0, bottom + 30.0);
    legend(&mut out, &report.judges, left);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        out.line("grid", (x.at(share), top - 4.0), (x.at(share), bottom));
        out.text("tick", (x.at(share), bottom + 18.0), Anchor::Middle, &percent(share));
    }
    out.text("tick", (right + 28.0, top - 10.0), Anchor::Start, "judges agree");
    for (index, (column, counts)) in report.criteria.iter().zip(counts).enumerate() {
        let y = top + row * (index as f64 + 0.5);
        let name = if column.gate { format!("⚑ {}", column.id) } else { column.id.clone() };
        let name = format!("{} {}", short(&name, 12), short(&column.name, 20));
        out.text("label", (left - 12.0, y + 4.0), Anchor::End, &name);
        let shares: Vec<Option<f64>> = counts
            .judges
            .iter()
            .map(|(failed, of)| (*of > 0).then(|| *failed as f64 / *of as f64))
            .collect();
        let known = || shares.iter().flatten().copied();
        if let (Some(low), Some(high)) = (known().reduce(f64::min), known().reduce(f64::max)) {
            out.line("link", (x.at(low), y), (x.at(high), y));
        }
        for (at, (judge, share)) in report.judges.iter().zip(&shares).enumerate() {
            let Some(share) = share else { continue };
            let (failed, of) = counts.judges[at];
            let says =
                format!("{}, {judge}: {failed} of {of} fail ({})", column.id, percent(*share));
            out.mark(
                &format!("series s{}", at % 6),
                Shape::of_series(at),
                (x.at(*share), y),
                &says,
            );
        }
        let (agreed, of) = counts.agreed;
        if column.judged && of > 0 {
            let class = if agreed * 10 < of * 8 { "value warn" } else { "value" };
            let mark = if agreed * 10 < of * 8 { " ▼" } else { "" };
            let share = format!("{}{mark}", percent(agreed as f64 / of as f64));
            out.text(class, (right + 28.0, y + 4.0), Anchor::Start, &share);
        } else {
            let why = if column.judged { "–" } else { "computed" };
            out.text("tick soft", (right + 28.0, y + 4.0), Anchor::Start, why);
        }
    }
    out.finish(&format!("Share of failures by criterion and judge. {says}"))
}

fn legend(out: &mut Drawing, judges: &[String], left: f64) {
    let mut x = left;
    for (at, judge) in judges.iter().enumerate().take(6) {
        let name = short(judge, 16);
        out.mark(&format!("series s{}", at % 6), Shape::of_series(at), (x + 5.0, 14.0), judge);
        out.text("tick", (x + 15.0, 18.0), Anchor::Start, &name);
        x += 34.0 + name.chars().count() as f64 * 7.5;
    }
}
