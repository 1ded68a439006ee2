//! Every transcript with every criterion. The page draws it and pages through it;
//! here are its numbers, all of them, for the CSV file.

use super::{Figure, counted};
use crate::report::row::word;
use crate::report::table::grouped;
use crate::report::{Cell, Report, Row, Table};

/// The figure.
#[must_use]
pub fn figure(report: &Report) -> Figure {
    let heads = [
        "transcript",
        "place",
        "batch",
        "standing",
        "score",
        "spread",
        "disagreement",
        "review",
        "exchanges",
        "tokens",
        "prompts",
    ];
    let mut table = Table::of(&heads);
    table.heads.extend(report.criteria.iter().map(|column| column.id.clone()));
    let several = report.judges.len() > 1;
    if several {
        for judge in &report.judges {
            let judged = report.criteria.iter().filter(|column| column.judged);
            table.heads.extend(judged.map(|column| format!("{judge}: {}", column.id)));
        }
    }
    table.rows.extend(report.rows.iter().map(|row| cells(report, row, several)));
    let read = report.rows.iter().filter(|row| row.reviewed.name() != "unread").count();
    Figure {
        name: "transcripts",
        title: "Which transcript fails what?",
        says: format!(
            "{} and {}, by the worst answer of all judges; {} read by people.",
            counted(report.rows.len(), "transcript"),
            if report.criteria.len() == 1 {
                "1 criterion".into()
            } else {
                format!("{} criteria", report.criteria.len())
            },
            grouped(read as u64)
        ),
        how: "The picture has a line a transcript and a column a criterion, in the order of the table under it. Filter and sort the table; the picture follows. A place opens the transcript's file.",
        drawing: None,
        table,
    }
}

/// A transcript's line.
fn cells(report: &Report, row: &Row, several: bool) -> Vec<Cell> {
    let score = |score: Option<f64>| score.map_or(Cell::None, |score| Cell::Number(score, 3));
    let count = |count: Option<usize>| count.map_or(Cell::None, Cell::from);
    let mut cells: Vec<Cell> = vec![
        row.id.as_str().into(),
        Cell::Place(row.file.to_string(), row.line),
        (&*row.batch).into(),
        row.standing.name().into(),
        score(row.score),
        score(row.spread),
        if row.disagreement { "yes" } else { "no" }.into(),
        row.reviewed.name().into(),
        row.exchanges.into(),
        count(row.tokens),
        row.prompts.as_deref().map_or(Cell::None, Cell::from),
    ];
    cells.extend(row.worst().iter().map(|letter| Cell::from(word(*letter))));
    if several {
        for judge in row.answers.iter().skip(1) {
            let judged = judge.iter().zip(&report.criteria).filter(|(_, column)| column.judged);
            cells.extend(judged.map(|(letter, _)| Cell::from(word(*letter))));
        }
    }
    cells
}
