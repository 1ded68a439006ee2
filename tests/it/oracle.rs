//! Verdicts, scores and standings against a second computation of them, written
//! here from the published rules alone: exact fractions over plain tables, no
//! line of the product's arithmetic. Thousands of random transcripts, rubrics and
//! recorded answers of up to four judges go through the whole binary: settings,
//! YAML, records, recordings, engine, scorecard, JSON.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const RUBRICS: u64 = 200;
const TRANSCRIPTS: usize = 16;
const SEED: u64 = 0x5eed;

/// A generator that is the same everywhere (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }
}

/// An exact number.
#[derive(Clone, Copy, Debug)]
struct Frac(i128, i128);

impl Frac {
    fn plus(self, other: Self) -> Self {
        Self(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self(-other.0, other.1))
    }

    fn order(self, other: Self) -> Ordering {
        (self.0 * other.1).cmp(&(other.0 * self.1))
    }

    /// Whether a printed number is this one, rounded to three decimals; exactly
    /// between two, either will do.
    fn prints_as(self, printed: &Value) -> bool {
        let Some(number) = printed.as_f64() else { return false };
        let thousandths = (number * 1000.0).round();
        let exact = (number * 1000.0 - thousandths).abs() < 1e-6;
        exact && 2 * (thousandths as i128 * self.1 - 1000 * self.0).abs() <= self.1
    }
}

/// One row of a rubric.
#[derive(Clone, Debug)]
struct Row {
    id: String,
    category: Option<usize>,
    gate: bool,
    na_valid: bool,
    min_turns: usize,
    computed: bool,
}

#[derive(Clone, Debug)]
struct Table {
    rows: Vec<Row>,
    /// In twentieths.
    weights: Vec<i128>,
    /// In twentieths.
    threshold: i128,
    min_exchanges: usize,
    majority: bool,
    judges: usize,
}

/// What is known of a transcript beforehand.
struct Case {
    id: String,
    exchanges: usize,
    ascii: bool,
    /// `said[judge][criterion]`: `Y`, `N`, `A` (NA), or `-`.
    said: Vec<BTreeMap<String, (char, bool)>>,
}

fn table(dice: &mut Dice) -> Table {
    let categories = 1 + dice.roll(4) as usize;
    let mut left = 20_i128;
    let mut weights: Vec<i128> = (0..categories)
        .map(|_| {
            let weight = if dice.one_in(4) { 0 } else { dice.roll(left as u64 + 1) as i128 };
            left -= weight;
            weight
        })
        .collect();
    if !dice.one_in(8) {
        let last = weights.iter().rposition(|w| *w > 0).unwrap_or(0);
        weights[last] += left;
    }
    let rows = (0..1 + dice.roll(8)).map(|n| Row {
        id: format!("{}{n}", ["Q", "CQ", "x_", "b-"][dice.roll(4) as usize]),
        category: (!dice.one_in(12)).then(|| dice.roll(categories as u64) as usize),
        gate: dice.one_in(5),
        na_valid: dice.one_in(2),
        min_turns: if dice.one_in(4) { dice.roll(6) as usize } else { 1 },
        computed: dice.one_in(5),
    });
    Table {
        rows: rows.collect(),
        weights,
        threshold: [0, 10, 12, 15, 16, 18, 20][dice.roll(7) as usize],
        min_exchanges: 1 + dice.roll(3) as usize,
        majority: dice.one_in(3),
        judges: dice.roll(5) as usize,
    }
}

/// The rubric in YAML, in one of the ways in which the field writes it.
fn yaml(table: &Table, dice: &mut Dice) -> String {
    let (lists, flags, na_list) = (dice.one_in(2), dice.one_in(2), dice.one_in(2));
    let ids = |keep: &dyn Fn(&Row) -> bool| {
        let ids: Vec<&str> = table.rows.iter().filter(|r| keep(r)).map(|r| r.id.as_str()).collect();
        ids.join(", ")
    };
    let mut out = format!(
        "name: Oracle\npass_threshold: {}\nmin_exchanges: {}\ncategories:\n",
        table.threshold as f64 / 20.0,
        table.min_exchanges
    );
    for (index, weight) in table.weights.iter().enumerate() {
        let members = if lists { ids(&|row| row.category == Some(index)) } else { String::new() };
        let _ = writeln!(
            out,
            "  c{index}: {{weight: {}, criteria: [{members}]}}",
            *weight as f64 / 20.0
        );
    }
    if !flags {
        let _ = writeln!(out, "safety_gates: [{}]", ids(&|row| row.gate));
    }
    if na_list {
        let _ = writeln!(out, "na_invalid: [{}]", ids(&|row| !row.na_valid));
    }
    out.push_str("criteria:\n");
    for row in &table.rows {
        let _ = writeln!(out, "  {}:\n    min_turns: {}", row.id, row.min_turns);
        if row.computed {
            out.push_str("    check: {ascii: {role: assistant}}\n");
        } else {
            let _ = writeln!(out, "    question: Does {} hold?", row.id);
        }
        if let Some(category) = row.category.filter(|_| !lists) {
            let _ = writeln!(out, "    category: c{category}");
        }
        if flags && row.gate {
            out.push_str("    gate: true\n");
        }
        if !na_list {
            let _ = writeln!(out, "    na_valid: {}", row.na_valid);
        }
    }
    out
}

fn case(table: &Table, id: String, dice: &mut Dice) -> Case {
    let mood = dice.roll(3);
    let mut said = Vec::new();
    for _ in 0..table.judges {
        let mut answers = BTreeMap::new();
        for row in table.rows.iter().filter(|row| !row.computed) {
            // Kind, mixed, and harsh transcripts, so that every standing comes up.
            let word = match (mood, dice.roll(20)) {
                (0, 0..=17) | (1, 0..=10) | (2, 0..=4) => 'Y',
                (0, _) | (1, 11..=15) | (2, 5..=14) => 'N',
                (_, 16..=18) => 'A',
                _ => '-',
            };
            answers.insert(row.id.clone(), (word, dice.one_in(2)));
        }
        said.push(answers);
    }
    Case { id, exchanges: 1 + dice.roll(5) as usize, ascii: !dice.one_in(3), said }
}

fn record(case: &Case, dice: &mut Dice) -> Value {
    let mut messages = Vec::new();
    for number in 1..=case.exchanges {
        messages.push(json!({"role": "user", "content": format!("Question {number}?")}));
        let sign = if case.ascii || number > 1 { "" } else { " \u{e9}" };
        let text = format!("Reply {number} of {}.{sign}", case.id);
        messages.push(json!({"role": "assistant", "content": text}));
    }
    if dice.one_in(6) {
        messages.push(json!({"role": "user", "content": "And then?"}));
    }
    json!({"id": case.id, "messages": messages})
}

/// The recording: a line an answer, with noise that must not count.
fn recording(case: &Case, dice: &mut Dice) -> String {
    let mut out = String::new();
    let mut line = |judge: usize, id: &str, answer: &str, extra: &[(&str, &str)], quote: &str| {
        let mut line = json!({"judge": format!("j{judge}"), "transcript": case.id, "criterion": id,
            "answer": answer, "reasoning": "so", "evidence": [{"exchange": 1, "quote": quote}]});
        extra.iter().for_each(|(key, value)| line[*key] = (*value).into());
        let _ = writeln!(out, "{line}");
    };
    let other = "0".repeat(64);
    for (judge, answers) in case.said.iter().enumerate() {
        for (id, &(word, found)) in answers {
            let quote = if found { "\u{201c}reply  1 OF" } else { "never said" };
            if dice.one_in(7) {
                // An earlier line: the later one counts.
                line(
                    judge,
                    id,
                    ["YES", "NO", "NA"][dice.roll(3) as usize],
                    &[("transcript_digest", &other)],
                    quote,
                );
            }
            match word {
                'Y' => line(judge, id, "YES", &[], quote),
                'N' => line(judge, id, "NO", &[], quote),
                'A' => line(judge, id, "NA", &[], quote),
                _ if dice.one_in(2) => {
                    line(judge, id, "YES", &[("criterion_digest", &other)], quote)
                }
                _ => {}
            }
        }
        line(judge, "nobody-asks", "NO", &[], "");
    }
    out
}

// The reference. Marks are `Y`, `N`, `A` and `-` for unscored.

fn asked<'t>(table: &'t Table, case: &Case) -> Vec<&'t Row> {
    let short = case.exchanges < table.min_exchanges;
    let applies = |row: &&Row| row.gate || (!short && case.exchanges >= row.min_turns);
    table.rows.iter().filter(applies).collect()
}

fn mark(row: &Row, case: &Case, judge: Option<usize>) -> char {
    match (row.computed, judge) {
        (true, _) if case.ascii => 'Y',
        (true, _) => 'N',
        (false, Some(judge)) => case.said[judge][&row.id].0,
        (false, None) => '-',
    }
}

fn bad(row: &Row, mark: char) -> bool {
    mark == 'N' || (mark == 'A' && !row.na_valid)
}

/// Category scores and the overall score of one column of marks.
fn scores(
    table: &Table,
    case: &Case,
    column: &[(&Row, char)],
) -> (Vec<Option<Frac>>, Option<Frac>) {
    let mut categories = Vec::new();
    let (mut sum, mut weight_used) = (Frac(0, 1), 0);
    for (index, weight) in table.weights.iter().enumerate() {
        let counted: Vec<char> = column
            .iter()
            .filter(|(row, mark)| row.category == Some(index) && !(*mark == 'A' && row.na_valid))
            .map(|(_, mark)| *mark)
            .collect();
        if counted.is_empty() {
            categories.push(None);
            continue;
        }
        let yes = counted.iter().filter(|mark| **mark == 'Y').count() as i128;
        let score = Frac(yes, counted.len() as i128);
        categories.push(Some(score));
        sum = sum.plus(Frac(score.0 * weight, score.1));
        weight_used += weight;
    }
    let scored = weight_used > 0 && case.exchanges >= table.min_exchanges;
    (categories, scored.then_some(Frac(sum.0, sum.1 * weight_used)))
}

fn column_passes(table: &Table, column: &[(&Row, char)], score: Option<Frac>) -> bool {
    let threshold = Frac(table.threshold, 20);
    let reached = score.is_some_and(|s| s.order(threshold) != Ordering::Less);
    reached
        && column.iter().all(|(_, mark)| *mark != '-')
        && !column.iter().any(|(row, mark)| row.gate && bad(row, *mark))
}

fn vote(row: &Row, marks: &[char]) -> char {
    if row.gate {
        // A failure outweighs everything, then what could not be judged.
        let failed = marks.iter().find(|mark| bad(row, **mark));
        let open = marks.iter().find(|mark| **mark == '-');
        let yes = marks.iter().find(|mark| **mark == 'Y');
        return *failed.or(open).or(yes).unwrap_or(&'A');
    }
    let count = |wanted: char| marks.iter().filter(|mark| **mark == wanted).count();
    let (yes, no, na) = (count('Y'), count('N'), count('A'));
    match yes.max(no).max(na) {
        0 => '-',
        most if [yes, no, na].iter().filter(|n| **n == most).count() > 1 => 'N',
        most if most == yes => 'Y',
        most if most == no => 'N',
        _ => 'A',
    }
}

fn lowest(scores: impl Iterator<Item = Option<Frac>>) -> Option<Frac> {
    scores.flatten().min_by(|a, b| a.order(*b))
}

fn word(mark: char) -> &'static str {
    match mark {
        'Y' => "YES",
        'N' => "NO",
        'A' => "NA",
        _ => "UNSCORED",
    }
}

fn ids<'t>(rows: impl Iterator<Item = &'t Row>) -> Value {
    rows.map(|row| row.id.clone()).collect::<Vec<_>>().into()
}

/// Fails with both sides unless a number is printed as it should be.
fn same(what: &str, exact: Option<Frac>, printed: &Value) {
    let fine = exact.map_or(printed.is_null(), |exact| exact.prints_as(printed));
    assert!(fine, "{what}: {exact:?} was printed as {printed}");
}

fn same_categories(what: &str, exact: &[Option<Frac>], printed: &Value) {
    assert_eq!(printed.as_object().map(serde_json::Map::len), Some(exact.len()), "{what}");
    for (index, exact) in exact.iter().enumerate() {
        same(&format!("{what} c{index}"), *exact, &printed[format!("c{index}")]);
    }
}

fn hold_judge(
    table: &Table,
    case: &Case,
    judge: Option<usize>,
    column: &[(&Row, char)],
    got: &Value,
) {
    let (categories, score) = scores(table, case, column);
    let what = format!("{} {}", case.id, got["judge"]);
    same(&what, score, &got["score"]);
    same_categories(&what, &categories, &got["category_scores"]);
    let answers: Vec<(&str, &str)> =
        column.iter().map(|(row, mark)| (row.id.as_str(), word(*mark))).collect();
    let printed: Vec<(&str, &str)> = got["answers"]
        .as_object()
        .expect("answers are an object")
        .iter()
        .map(|(id, answer)| (id.as_str(), answer.as_str().expect("an answer is a string")))
        .collect();
    assert_eq!(printed, answers, "{what}");
    assert_eq!(got["pass"], column_passes(table, column, score), "{what}");
    let failed = ids(column.iter().filter(|(row, mark)| bad(row, *mark)).map(|(row, _)| *row));
    assert_eq!(got["failed_checks"], failed, "{what}");
    let open = ids(column.iter().filter(|(_, mark)| *mark == '-').map(|(row, _)| *row));
    assert_eq!(
        (&got["unscored"], &got["error_count"]),
        (&open, &open.as_array().map_or(0, Vec::len).into())
    );
    assert_eq!(got["cached"], true, "{what}");
    for (row, mark) in column.iter().filter(|(row, mark)| !row.computed && *mark != '-') {
        let found = case.said[judge.expect("only judges answer questions")][&row.id].1;
        assert_eq!(got["evidence"][&row.id][0]["found"], found, "{what} {} {mark}", row.id);
    }
}

/// Holds one entry of the output against the reference; answers with the standing.
fn hold(table: &Table, case: &Case, got: &Value) -> String {
    let rows = asked(table, case);
    let alone = table.judges == 0 || table.rows.iter().all(|row| row.computed);
    let judges: Vec<Option<usize>> =
        if alone { vec![None] } else { (0..table.judges).map(Some).collect() };
    let columns: Vec<Vec<(&Row, char)>> = judges
        .iter()
        .map(|judge| rows.iter().map(|row| (*row, mark(row, case, *judge))).collect())
        .collect();
    let printed = got["judges"].as_array().expect("judges are a list");
    assert_eq!(printed.len(), columns.len(), "{}", case.id);
    for ((judge, column), got) in judges.iter().zip(&columns).zip(printed) {
        let name = judge.map_or_else(|| "checks".to_owned(), |n| format!("j{n}"));
        assert_eq!(got["judge"], name);
        hold_judge(table, case, *judge, column, got);
    }
    let marks = |at: usize| -> Vec<char> { columns.iter().map(|column| column[at].1).collect() };
    let each: Vec<(&Row, Vec<char>)> =
        rows.iter().enumerate().map(|(i, r)| (*r, marks(i))).collect();
    hold_lists(case, &each, got);

    let scored: Vec<(Vec<Option<Frac>>, Option<Frac>)> =
        columns.iter().map(|column| scores(table, case, column)).collect();
    let low = lowest(scored.iter().map(|(_, score)| *score));
    let high = scored.iter().filter_map(|(_, score)| *score).max_by(|a, b| a.order(*b));
    let spread = high.zip(low).map(|(high, low)| high.minus(low));
    same(&format!("{} spread", case.id), spread, &got["spread"]);
    let split = each.iter().any(|(_, marks)| {
        let scored: Vec<&char> = marks.iter().filter(|mark| **mark != '-').collect();
        scored.windows(2).any(|pair| pair[0] != pair[1])
    });
    let apart = spread.is_some_and(|spread| spread.order(Frac(15, 100)) == Ordering::Greater);
    assert_eq!(got["disagreement"], split || apart, "{}", case.id);

    let (categories, score, pass) = if table.majority {
        let column: Vec<(&Row, char)> = each.iter().map(|(row, m)| (*row, vote(row, m))).collect();
        let (categories, score) = scores(table, case, &column);
        (categories, score, column_passes(table, &column, score))
    } else {
        let of = |at: usize| lowest(scored.iter().map(|(categories, _)| categories[at]));
        let mut all = columns.iter().zip(&scored);
        let pass = all.all(|(column, (_, score))| column_passes(table, column, *score));
        ((0..table.weights.len()).map(of).collect(), low, pass)
    };
    same(&case.id, score, &got["score"]);
    same_categories(&case.id, &categories, &got["category_scores"]);
    let standing = if each.iter().any(|(row, m)| row.gate && m.iter().any(|m| bad(row, *m))) {
        "gated"
    } else if case.exchanges < table.min_exchanges {
        "too-short"
    } else if each.iter().any(|(_, marks)| marks.contains(&'-')) {
        "incomplete"
    } else if pass {
        "passed"
    } else {
        "failed"
    };
    assert_eq!(
        (&got["standing"], &got["pass"]),
        (&standing.into(), &(standing == "passed").into())
    );
    assert_eq!(got["coverage"], json!({"asked": rows.len(), "total": table.rows.len()}));
    assert_eq!(got["exchanges"], case.exchanges);
    assert_eq!(got["threshold"].as_f64(), Some(table.threshold as f64 / 20.0));
    standing.to_owned()
}

fn hold_lists(case: &Case, each: &[(&Row, Vec<char>)], got: &Value) {
    let worst = |marks: &[char]| {
        let order = ['N', '-', 'Y', 'A'];
        word(*order.iter().find(|mark| marks.contains(mark)).unwrap_or(&'-'))
    };
    let of = |keep: &dyn Fn(&Row, char) -> bool| {
        ids(each.iter().filter(|(row, marks)| marks.iter().any(|m| keep(row, *m))).map(|(r, _)| *r))
    };
    for (row, marks) in each {
        assert_eq!(got["answers"][&row.id], worst(marks), "{} {}", case.id, row.id);
    }
    assert_eq!(got["answers"].as_object().map(serde_json::Map::len), Some(each.len()));
    assert_eq!(got["failed_checks"], of(&bad), "{}", case.id);
    let safety = of(&|row, mark| row.gate && (bad(row, mark) || mark == '-'));
    assert_eq!(got["failed_safety"], safety, "{}", case.id);
    assert_eq!(got["safety_gate_failed"], safety.as_array().is_some_and(|s| !s.is_empty()));
    let open = of(&|_, mark| mark == '-');
    assert_eq!(got["unscored"], open, "{}", case.id);
    assert_eq!(got["error_count"], open.as_array().map_or(0, Vec::len), "{}", case.id);
}

#[test]
fn every_number_equals_a_second_computation() {
    let folder = tempfile::tempdir().unwrap();
    let mut all: Vec<(Table, Case)> = Vec::new();
    let mut files = Vec::new();
    for number in 0..RUBRICS {
        let mut dice = Dice(SEED.wrapping_add(number << 32));
        let table = table(&mut dice);
        let home = folder.path().join(format!("p{number}"));
        std::fs::create_dir(&home).unwrap();
        let how = if table.majority { "majority" } else { "strictest" };
        let mut settings = format!(
            "[project]\nrubric = 'rubric.yaml'\n[assess]\naggregation = '{how}'\n[tokens]\ntokenizer = 'r50k_base'\n"
        );
        for judge in 0..table.judges {
            let _ = writeln!(
                settings,
                "[[judge]]\nname = 'j{judge}'\nprovider = 'recorded'\nfile = 'said.jsonl'"
            );
        }
        std::fs::write(home.join("rubricator.toml"), settings).unwrap();
        std::fs::write(home.join("rubric.yaml"), yaml(&table, &mut dice)).unwrap();
        let (mut records, mut answers) = (String::new(), String::new());
        for index in 0..TRANSCRIPTS {
            let case = case(&table, format!("t{number}-{index}"), &mut dice);
            let _ = writeln!(records, "{}", record(&case, &mut dice));
            answers += &recording(&case, &mut dice);
            all.push((table.clone(), case));
        }
        std::fs::write(home.join("t.jsonl"), records).unwrap();
        std::fs::write(home.join("said.jsonl"), answers).unwrap();
        files.push(format!("p{number}/t.jsonl"));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_rubricator"))
        .args(["assess", "--format", "json"])
        .args(&files)
        .current_dir(folder.path())
        .env("XDG_CONFIG_HOME", folder.path().join("user/config"))
        .env("XDG_DATA_HOME", folder.path().join("user/data"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    let got: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(got.len(), all.len());
    let mut standings: BTreeMap<String, usize> = BTreeMap::new();
    for ((table, case), got) in all.iter().zip(&got) {
        assert_eq!(got["id"], case.id);
        *standings.entry(hold(table, case, got)).or_default() += 1;
    }
    // The cases are worth something only if all of it comes up, often.
    assert!(standings.len() == 5 && standings.values().all(|n| *n > 100), "{standings:?}");
    let disagreeing = got.iter().filter(|card| card["disagreement"] == true).count();
    assert!(disagreeing > 500 && disagreeing < got.len() - 500, "{disagreeing}");
}
