//! The report as one page that needs nothing but itself.
//!
//! Invariant: the page's own policy lets it load nothing, send nothing, and run one
//! script and one style sheet, both named by their digests; text from transcripts
//! gets in only escaped, or as JSON that is data.
//!
//! Every figure is there without a script; the script adds sorting, filtering,
//! paging, the picture of all transcripts and the map of slices.

use std::collections::HashMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::html::{data, escaped, path, visible};
use super::overview::facts;
use super::{Cell, Figure, Report, Row, Table};
use crate::assessment::Standing;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Transcripts in the page; the CSV file has all.
pub const SHOWN: usize = 20_000;
/// Rows of any other table in the page.
const ROWS: usize = 400;

/// The page; the CSV files are in `folder` beside it.
#[must_use]
pub fn text(report: &Report, figures: &[Figure], folder: &str) -> String {
    let mut out = head(report);
    out += "<nav aria-label=\"Figures\"><ul>";
    for figure in figures {
        let _ = write!(out, "<li><a href=\"#{}\">{}</a></li>", figure.name, escaped(figure.title));
    }
    out += "</ul></nav><main id=\"main\">";
    out += "<section class=\"facts\" aria-label=\"In short\"><dl>";
    for fact in facts(report) {
        let _ = write!(
            out,
            "<div><dt>{}</dt><dd><strong>{}</strong><span>{}</span></dd></div>",
            fact.name,
            escaped(&fact.value),
            escaped(&fact.note)
        );
    }
    out += "</dl></section>";
    for figure in figures {
        section(&mut out, report, figure, folder);
    }
    out += WORDS;
    out += "</main>";
    let _ = write!(
        out,
        "<script type=\"application/json\" id=\"data\">{}</script>",
        data(&numbers(report))
    );
    let _ = writeln!(out, "<script>{SCRIPT}</script></body></html>");
    out
}

fn head(report: &Report) -> String {
    let digest = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    let title = escaped(&report.title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">\
         <title>{title}: where it stands</title><style>{STYLE}</style></head><body>\
         <a class=\"skip\" href=\"#main\">To the numbers</a>\
         <header><p class=\"over\">Report on synthetic conversations</p><h1>{title}</h1>\
         <p>Made <time datetime=\"{at}\">{day}</time>. A transcript passes when every judge scores it \
         at least {threshold} and no safety gate fails.</p></header>",
        at = escaped(&report.at),
        day = escaped(&format!(
            "{} UTC",
            report.at.get(..16).unwrap_or(&report.at).replace('T', " ")
        )),
        threshold = report.threshold,
    )
}

fn section(out: &mut String, report: &Report, figure: &Figure, folder: &str) {
    let name = figure.name;
    let _ = write!(
        out,
        "<section id=\"{name}\" aria-labelledby=\"{name}-title\"><h2 id=\"{name}-title\">{}</h2><p class=\"says\">{}</p>",
        escaped(figure.title),
        escaped(&figure.says)
    );
    if let Some(drawing) = &figure.drawing {
        let _ = write!(
            out,
            "<div class=\"drawing\" tabindex=\"0\" role=\"group\" aria-label=\"{}\">{drawing}</div>",
            escaped(figure.title)
        );
    }
    if name == "slices" && figure.drawing.is_some() {
        *out += "<div id=\"map\"></div>";
    }
    let _ = write!(out, "<p class=\"how\"><b>How to read it.</b> {}</p>", escaped(figure.how));
    if name == "transcripts" {
        transcripts(out, report, folder);
    } else {
        numbers_of(out, figure, folder);
    }
    *out += "</section>";
}

fn numbers_of(out: &mut String, figure: &Figure, folder: &str) {
    let csv = format!("{}/{}.csv", path(folder), figure.name);
    if figure.table.rows.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<details><summary>The numbers as a table</summary><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\">"
    );
    table(out, &figure.table, figure.title);
    *out += "</div>";
    if figure.table.rows.len() > ROWS {
        let _ =
            write!(out, "<p>{} more rows are in the CSV file.</p>", figure.table.rows.len() - ROWS);
    }
    let _ = write!(out, "</details><p class=\"csv\"><a href=\"{csv}\">{}.csv</a></p>", figure.name);
}

fn table(out: &mut String, table: &Table, caption: &str) {
    let _ =
        write!(out, "<table class=\"sortable\"><caption>{}</caption><thead><tr>", escaped(caption));
    let number = |at: usize| table.rows.iter().any(|row| row[at].is_number());
    for (at, head) in table.heads.iter().enumerate() {
        let class = if number(at) { " class=\"number\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", escaped(head));
    }
    *out += "</tr></thead><tbody>";
    for row in table.rows.iter().take(ROWS) {
        *out += "<tr>";
        for (at, cell) in row.iter().enumerate() {
            let shown = escaped(&cell.shown());
            let shown = match cell {
                Cell::Place(file, line) => {
                    format!("<a href=\"{}#L{line}\">{shown}</a>", path(file))
                }
                _ => shown,
            };
            let _ = match (at, cell.is_number()) {
                (0, false) => write!(out, "<th scope=\"row\">{shown}</th>"),
                (_, true) => {
                    write!(out, "<td class=\"number\" data-value=\"{}\">{shown}</td>", cell.plain())
                }
                (_, false) => write!(out, "<td>{shown}</td>"),
            };
        }
        *out += "</tr>";
    }
    *out += "</tbody></table>";
}

fn transcripts(out: &mut String, report: &Report, folder: &str) {
    *out += "<noscript><p>This table needs the page's script; the CSV file has the same.</p></noscript>";
    if report.rows.len() > SHOWN {
        let _ = write!(
            out,
            "<p>The page has {SHOWN} of {} transcripts, those that did not pass first; the CSV file has all.</p>",
            report.rows.len()
        );
    }
    *out += "<div id=\"grid\"></div>";
    let _ = write!(
        out,
        "<p class=\"csv\"><a href=\"{}/transcripts.csv\">transcripts.csv</a></p>",
        path(folder)
    );
}

/// What the script works with: lists of names, and rows that point into them.
fn numbers(report: &Report) -> Value {
    let mut order: Vec<&Row> = report.rows.iter().collect();
    if order.len() > SHOWN {
        order.sort_by_key(|row| row.standing == Standing::Passed);
        order.truncate(SHOWN);
    }
    let (mut files, mut batches, mut prompts) =
        (Names::default(), Names::default(), Names::default());
    let several = report.judges.len() > 1;
    let rows: Vec<Value> = order
        .iter()
        .map(|row| {
            let kept = if several { row.answers.len() } else { 1 };
            let answers: Vec<&str> = row
                .answers
                .iter()
                .take(kept)
                .map(|a| std::str::from_utf8(a).unwrap_or(""))
                .collect();
            let cut = row
                .cut
                .as_ref()
                .map(|cut| json!([u8::from(cut.validation), cut.points, cut.dropped]));
            json!([
                visible(&row.id),
                files.of(&row.file),
                row.line,
                batches.of(&row.batch),
                row.standing.name(),
                rounded(row.score),
                rounded(row.spread),
                u8::from(row.disagreement),
                row.reviewed.name(),
                row.exchanges,
                row.tokens,
                row.prompts.as_deref().map(|name| prompts.of(name)),
                answers,
                cut
            ])
        })
        .collect();
    let criteria: Vec<Value> = report
        .criteria
        .iter()
        .map(|c| json!({"id": visible(&c.id), "name": visible(&c.name), "gate": c.gate, "judged": c.judged}))
        .collect();
    let shown = |names: &[String]| names.iter().map(|name| visible(name)).collect::<Vec<_>>();
    let hrefs: Vec<String> = files.list.iter().map(|file| path(file)).collect();
    json!({
        "criteria": criteria, "judges": shown(&report.judges), "files": shown(&files.list), "hrefs": hrefs,
        "batches": shown(&batches.list), "prompts": shown(&prompts.list), "limit": report.tokens.most, "rows": rows,
    })
}

fn rounded(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| json!((value * 1000.0).round() / 1000.0))
}

/// Names, each once.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    places: HashMap<String, usize>,
}

impl Names {
    fn of(&mut self, name: &str) -> usize {
        if let Some(at) = self.places.get(name) {
            return *at;
        }
        self.places.insert(name.to_owned(), self.list.len());
        self.list.push(name.to_owned());
        self.list.len() - 1
    }
}

const WORDS: &str = "<section id=\"words\" aria-labelledby=\"words-title\"><h2 id=\"words-title\">The words</h2><dl class=\"words\">\
<dt>transcript, exchange</dt><dd>A conversation; one question of the person with the answer to it.</dd>\
<dt>criterion, safety gate</dt><dd>A yes-or-no question about a transcript; one whose failure rejects it whatever its score.</dd>\
<dt>judge</dt><dd>A model that answers the criteria. Several are asked, and the strictest counts. What can be counted is computed and needs no judge.</dd>\
<dt>passed, failed</dt><dd>At or above the threshold on every judge, or below it on one.</dd>\
<dt>gated</dt><dd>A safety gate failed.</dd>\
<dt>incomplete, unscored</dt><dd>A judge did not answer. That is neither a yes nor a no.</dd>\
<dt>too short</dt><dd>Too few exchanges to be judged; left out of every rate.</dd>\
<dt>batch</dt><dd>The transcripts that were made together: of one file, or of one folder.</dd>\
<dt>95 % confidence</dt><dd>Where the true rate lies in 19 of 20 cases; wide where there are few transcripts.</dd>\
<dt>slice</dt><dd>The beginning of a transcript, used as one training example.</dd></dl></section>";
