//! The records of a transcript file, kept up to date while the file is edited.
//!
//! Invariant: after any edits, [`Records`] says what it would say if it were
//! opened anew on the same document: the same spans, lines, values and facts.
//! Only records whose text is new are analysed; the others move.
//!
//! A record is a line of a `.jsonl` (ended by `\n` alone, whatever LSP calls a
//! line), an item of the array in a `.json`, or the whole of a `.json` that is
//! no array or is broken between its items.
//!
//! A big file can be opened piece by piece: everything before the
//! [frontier](Records::frontier) is analysed, and edits may come in between.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::array;
use super::facts::{BOM, FileFacts, Line};
use super::recent::Recent;
pub use super::slot::Slot;
use super::slot::{Maker, line_end, line_start};
use crate::text::Span;
use crate::text::document::{Document, Replaced};
use crate::text::patch::{self, Patch};

/// How the records lie in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A record a line.
    Lines,
    /// One record, or an array of them.
    Document,
}

impl Layout {
    /// `.jsonl` and `.ndjson` are lines, `.json` is a document; others are no
    /// transcript files.
    #[must_use]
    pub fn of_name(file_name: &str) -> Option<Self> {
        let (_, extension) = file_name.rsplit_once('.')?;
        let is = |name: &str| extension.eq_ignore_ascii_case(name);
        match () {
            () if is("jsonl") || is("ndjson") => Some(Self::Lines),
            () if is("json") => Some(Self::Document),
            () => None,
        }
    }
}

/// The records of one document, with what was found out about each.
#[derive(Clone, Debug)]
pub struct Records<T> {
    layout: Layout,
    slots: Vec<Slot<T>>,
    blanks: Vec<Line>,
    /// Everything before this byte (a line start, or a record's end) is analysed;
    /// `None`: everything is.
    frontier: Option<usize>,
    /// The records of a `.json` that are not analysed yet, last one first.
    unread: Vec<Span>,
    recent: Recent<T>,
}

/// What an edit did to the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Which records went (indices before the edit) and which came in their
    /// place (indices after it), in order. All others only moved.
    pub cuts: Vec<(Range<usize>, Range<usize>)>,
    /// The records (indices after the edit) that were analysed anew.
    pub fresh: Vec<usize>,
}

impl<T> Records<T> {
    /// Reads all records of `document`.
    pub fn open(document: &Document, layout: Layout, analyse: impl FnMut(&str) -> T) -> Self {
        let mut records = Self::unread(layout);
        records.advance(document, usize::MAX, analyse);
        records
    }

    /// No record read yet; [`advance`](Self::advance) reads them.
    #[must_use]
    pub fn unread(layout: Layout) -> Self {
        Self {
            layout,
            slots: Vec::new(),
            blanks: Vec::new(),
            frontier: Some(0),
            unread: Vec::new(),
            recent: Recent::default(),
        }
    }

    /// Reads about `bytes` more, in whole records. Returns the indices of the
    /// records that came.
    pub fn advance(
        &mut self,
        document: &Document,
        bytes: usize,
        mut analyse: impl FnMut(&str) -> T,
    ) -> Range<usize> {
        let first = self.slots.len();
        let Some(from) = self.frontier else { return first..first };
        let old = HashMap::new();
        let mut maker = Maker { document, old: &old, analyse: &mut analyse };
        let to = from.saturating_add(bytes);
        if self.layout == Layout::Document {
            if self.slots.is_empty() {
                self.unread = array::records(document);
                self.unread.reverse();
            }
            self.frontier = None;
            while let Some(span) = self.unread.pop() {
                self.slots.push(maker.item(span).0);
                self.frontier = Some(span.end).filter(|_| !self.unread.is_empty());
                if span.end >= to {
                    break;
                }
            }
            return first..self.slots.len();
        }
        let to = line_end(document, to.min(document.len()));
        let read = maker.lines(Span::new(from, to));
        self.slots.extend(read.slots);
        self.blanks.extend(read.blanks);
        self.frontier = (to < document.len()).then_some(to);
        first..self.slots.len()
    }

    /// Brings the records up to date after `replaced` was done to the document,
    /// which is `document` now.
    pub fn edited(
        &mut self,
        document: &Document,
        replaced: &[Replaced],
        mut analyse: impl FnMut(&str) -> T,
    ) -> Touched {
        let patches = patch::compose(replaced);
        match self.layout {
            Layout::Lines => self.edited_lines(document, &patches, &mut analyse),
            Layout::Document => self.edited_items(document, &patches, &mut analyse),
        }
    }

    /// Says something better of the text of the record with this index, if it is there.
    pub fn set_value(&mut self, index: usize, value: Arc<T>) {
        if let Some(slot) = self.slots.get_mut(index) {
            slot.value = value;
        }
    }

    /// Forgets the values of records that have gone: what they depend on, beside
    /// the text, has changed.
    pub fn forget_gone(&mut self) {
        self.recent = Recent::default();
    }

    /// How the records lie in the file.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The records, in order.
    #[must_use]
    pub fn slots(&self) -> &[Slot<T>] {
        &self.slots
    }

    /// The index of the record at byte `offset` (either edge included).
    #[must_use]
    pub fn at(&self, offset: usize) -> Option<usize> {
        let after = self.slots.partition_point(|s| s.line.content.start <= offset);
        after.checked_sub(1).filter(|&i| self.slots[i].line.content.touches(offset))
    }

    /// The byte up to which records are read; `None` when all are.
    #[must_use]
    pub fn frontier(&self) -> Option<usize> {
        self.frontier
    }

    /// The facts about the file, as far as it is read.
    #[must_use]
    pub fn facts(&self, document: &Document) -> FileFacts {
        let bytes = document.len();
        let mut facts = FileFacts {
            bytes,
            bom: document.slice(Span::new(0, BOM.len().min(bytes))) == BOM,
            ..FileFacts::default()
        };
        if self.layout == Layout::Document {
            facts.records = self.slots.len();
            return facts;
        }
        self.slots.iter().for_each(|slot| facts.note(&slot.line));
        self.blanks.iter().for_each(|line| facts.note(line));
        let last = document.pieces_before(bytes).find(|p| !p.is_empty());
        facts.no_final_newline = last.is_some_and(|p| !p.ends_with('\n'));
        facts
    }

    fn edited_lines(
        &mut self,
        document: &Document,
        patches: &[Patch],
        analyse: &mut dyn FnMut(&str) -> T,
    ) -> Touched {
        let mut regions =
            patch::regions(patches, |at| line_start(document, at), |at| line_end(document, at));
        self.keep_before_frontier(&mut regions);
        let cut = |region: &Patch| self.slots_in(region.old);
        let slot_cuts: Vec<Range<usize>> = regions.iter().map(cut).collect();
        let blank_cut = |region: &Patch| range_in(&self.blanks, region.old, |b| b.content.start);
        let blank_cuts: Vec<Range<usize>> = regions.iter().map(blank_cut).collect();
        self.shift(document, &regions, &slot_cuts, &blank_cuts);

        let gone = slot_cuts.iter().flat_map(|cut| &self.slots[cut.clone()]);
        let old = self.recent.remember(gone.map(Slot::gone));
        let mut maker = Maker { document, old: &old, analyse };
        let mut touched = Touched::default();
        let (mut slots, mut blanks) = (Vec::new(), Vec::new());
        let (mut came, mut went) = (0, 0);
        for ((region, cut), blank_cut) in regions.iter().zip(slot_cuts).zip(blank_cuts) {
            let read = maker.lines(region.new);
            let start = cut.start + came - went;
            touched.fresh.extend(read.fresh.iter().map(|i| start + i));
            touched.cuts.push((cut.clone(), start..start + read.slots.len()));
            came += read.slots.len();
            went += cut.len();
            slots.push((cut, read.slots));
            blanks.push((blank_cut, read.blanks));
        }
        splice(&mut self.slots, slots);
        splice(&mut self.blanks, blanks);
        touched
    }

    /// Leaves only the regions that are read already. An edit over the frontier
    /// draws it back to the edit's first line.
    fn keep_before_frontier(&mut self, regions: &mut Vec<Patch>) {
        let Some(mut frontier) = self.frontier else { return };
        let mut kept = 0;
        for region in regions.iter() {
            if region.old.start >= frontier {
                break;
            }
            kept += 1;
            if region.old.end > frontier {
                frontier = region.old.start;
                kept -= 1;
                break;
            }
        }
        let slots = self.slots.partition_point(|s| s.line.content.start < frontier);
        self.slots.truncate(slots);
        let blanks = self.blanks.partition_point(|b| b.content.start < frontier);
        self.blanks.truncate(blanks);
        regions.truncate(kept);
        self.frontier = Some(regions.last().map_or(frontier, |last| last.moved(frontier)));
    }

    /// Moves what lies between and behind the regions.
    fn shift(
        &mut self,
        document: &Document,
        regions: &[Patch],
        slot_cuts: &[Range<usize>],
        blank_cuts: &[Range<usize>],
    ) {
        for (i, region) in regions.iter().enumerate() {
            let next = |cuts: &[Range<usize>], len| cuts.get(i + 1).map_or(len, |c| c.start);
            let slots = slot_cuts[i].end..next(slot_cuts, self.slots.len());
            let blanks = blank_cuts[i].end..next(blank_cuts, self.blanks.len());
            for line in &mut self.blanks[blanks] {
                line.content = region.moved_span(line.content);
            }
            let [first, ..] = &self.slots[slots.clone()] else { continue };
            let was = first.first_line;
            let now = document.line_of(region.moved(first.line.content.start));
            for slot in &mut self.slots[slots] {
                slot.line.content = region.moved_span(slot.line.content);
                slot.first_line = slot.first_line + now - was;
            }
        }
    }

    fn edited_items(
        &mut self,
        document: &Document,
        patches: &[Patch],
        analyse: &mut dyn FnMut(&str) -> T,
    ) -> Touched {
        let frontier = self.frontier.map(|at| patch::after(patches, at));
        let was = std::mem::take(&mut self.slots);
        let old = self.recent.remember(was.iter().map(Slot::gone));
        let mut maker = Maker { document, old: &old, analyse };
        let mut fresh = Vec::new();
        let mut spans = array::records(document);
        let read = spans.partition_point(|span| frontier.is_none_or(|at| span.start < at));
        self.unread = spans.split_off(read);
        self.unread.reverse();
        for span in spans {
            let kept = patch::before(patches, span).and_then(|before| {
                let at = was.binary_search_by_key(&before.start, |s| s.line.content.start).ok()?;
                Some(&was[at]).filter(|slot| slot.line.content == before)
            });
            let (slot, is_fresh) = match kept {
                Some(slot) => (maker.moved(slot, span), false),
                None => maker.item(span),
            };
            if is_fresh {
                fresh.push(self.slots.len());
            }
            self.slots.push(slot);
        }
        let end = self.slots.last().map_or(0, |slot| slot.line.content.end);
        self.frontier = frontier.map(|_| end).filter(|_| !self.unread.is_empty());
        Touched { cuts: cut_of(&was, &self.slots), fresh }
    }

    fn slots_in(&self, span: Span) -> Range<usize> {
        range_in(&self.slots, span, |s| s.line.content.start)
    }
}

/// The indices of the `items` (in order) that start inside `span`.
fn range_in<X>(items: &[X], span: Span, start: impl Fn(&X) -> usize) -> Range<usize> {
    let first = items.partition_point(|x| start(x) < span.start);
    first..first + items[first..].partition_point(|x| start(x) < span.end)
}

/// Replaces each range by what comes in its place. In place where that moves
/// little, else in one pass over everything.
fn splice<X>(items: &mut Vec<X>, mut cuts: Vec<(Range<usize>, Vec<X>)>) {
    if cuts.len() <= 1 || cuts.iter().all(|(cut, new)| cut.len() == new.len()) {
        for (cut, new) in cuts.drain(..).rev() {
            items.splice(cut, new);
        }
        return;
    }
    let mut rest = std::mem::take(items).into_iter();
    let mut at = 0;
    for (cut, new) in cuts {
        items.extend(rest.by_ref().take(cut.start - at));
        items.extend(new);
        at = cut.end;
        rest.by_ref().take(cut.len()).for_each(drop);
    }
    items.extend(rest);
}

/// The one range in which two lists of records differ, if they do.
fn cut_of<T>(was: &[Slot<T>], now: &[Slot<T>]) -> Vec<(Range<usize>, Range<usize>)> {
    let same = |(a, b): &(&Slot<T>, &Slot<T>)| a.hash == b.hash;
    let head = was.iter().zip(now).take_while(same).count();
    let (was_rest, now_rest) = (&was[head..], &now[head..]);
    let tail = was_rest.iter().rev().zip(now_rest.iter().rev()).take_while(same).count();
    let cut = (head..was.len() - tail, head..now.len() - tail);
    if cut.0.is_empty() && cut.1.is_empty() { Vec::new() } else { vec![cut] }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::text::document::{Change, Encoding, Position};

    fn show(records: &Records<String>, document: &Document) -> String {
        let mut out = String::new();
        for slot in records.slots() {
            let span = slot.span();
            let (start, end, line) = (span.start, span.end, slot.first_line());
            out += &format!("{start}..{end} line {line}: {:?}\n", slot.value());
        }
        out + &format!("{:?}", records.facts(document))
    }

    fn check(name: &str, text: &str, changes: &[Change], expect: Expect) {
        let layout = Layout::of_name(name).unwrap();
        let mut document = Document::new(text);
        let mut records = Records::open(&document, layout, str::to_owned);
        let replaced = document.apply(changes, Encoding::Utf8).unwrap();
        let mut asked = Vec::new();
        let touched = records.edited(&document, &replaced, |text| {
            asked.push(text.to_owned());
            text.to_owned()
        });
        let shown = show(&records, &document);
        assert_eq!(shown, show(&Records::open(&document, layout, str::to_owned), &document));
        expect.assert_eq(&format!(
            "{}\ncuts {:?} fresh {:?} asked {asked:?}",
            shown, touched.cuts, touched.fresh
        ));
    }

    fn change(from: (u32, u32), to: (u32, u32), text: &str) -> Change {
        let at = |(line, character)| Position { line, character };
        Change { range: Some((at(from), at(to))), text: text.into() }
    }

    #[test]
    fn names_tell_the_layout() {
        for (name, layout) in [
            ("a.jsonl", Some(Layout::Lines)),
            ("a.b.NDJSON", Some(Layout::Lines)),
            ("a.json", Some(Layout::Document)),
            ("a.yaml", None),
            ("jsonl", None),
        ] {
            assert_eq!(Layout::of_name(name), layout, "{name}");
        }
    }

    #[test]
    fn only_touched_records_are_analysed() {
        check(
            "a.jsonl",
            "{1}\n{2}\n\n{3}\n",
            &[change((1, 1), (1, 2), "two")],
            expect![[r#"
            0..3 line 0: "{1}"
            4..9 line 1: "{two}"
            11..14 line 3: "{3}"
            FileFacts { bytes: 15, records: 3, bom: false, blank: Places { spans: [Span { start: 10, end: 11 }], count: 1 }, crlf: None, lone_cr: None, separators: None, no_final_newline: false }
            cuts [(1..2, 1..2)] fresh [1] asked ["{two}"]"#]],
        );
        check(
            "a.jsonl",
            "{1}\n{2}\n{3}",
            &[change((0, 3), (1, 0), "")],
            expect![[r#"
            0..6 line 0: "{1}{2}"
            7..10 line 1: "{3}"
            FileFacts { bytes: 10, records: 2, bom: false, blank: Places { spans: [], count: 0 }, crlf: None, lone_cr: None, separators: None, no_final_newline: true }
            cuts [(0..2, 0..1)] fresh [0] asked ["{1}{2}"]"#]],
        );
        check(
            "a.jsonl",
            "{1}\r{1}\r\n{3}\r\n",
            &[change((0, 0), (0, 0), "\r")],
            expect![[r#"
            0..8 line 0: "\r{1}\r{1}"
            10..13 line 3: "{3}"
            FileFacts { bytes: 15, records: 2, bom: false, blank: Places { spans: [], count: 0 }, crlf: Some(Mark { first: Span { start: 8, end: 10 }, count: 2 }), lone_cr: Some(Mark { first: Span { start: 0, end: 1 }, count: 2 }), separators: None, no_final_newline: false }
            cuts [(0..1, 0..1)] fresh [0] asked ["\r{1}\r{1}"]"#]],
        );
    }

    #[test]
    fn a_moved_line_is_not_analysed_again() {
        let down = [change((0, 0), (1, 0), ""), change((1, 0), (1, 0), "{1}\n")];
        check(
            "a.jsonl",
            "{1}\n{2}\n{3}\n",
            &down,
            expect![[r#"
            0..3 line 0: "{2}"
            4..7 line 1: "{1}"
            8..11 line 2: "{3}"
            FileFacts { bytes: 12, records: 3, bom: false, blank: Places { spans: [], count: 0 }, crlf: None, lone_cr: None, separators: None, no_final_newline: false }
            cuts [(0..2, 0..1), (2..3, 1..3)] fresh [] asked []"#]],
        );
    }

    #[test]
    fn only_touched_items_are_analysed() {
        check(
            "a.json",
            "[\n {1},\n {2},\n {3}\n]",
            &[change((2, 2), (2, 3), "\n")],
            expect![[r#"
            3..6 line 1: "{1}"
            9..12 line 2: "{\n}"
            15..18 line 4: "{3}"
            FileFacts { bytes: 20, records: 3, bom: false, blank: Places { spans: [], count: 0 }, crlf: None, lone_cr: None, separators: None, no_final_newline: false }
            cuts [(1..2, 1..2)] fresh [1] asked ["{\n}"]"#]],
        );
        check(
            "a.json",
            "[{1}, {2}]",
            &[change((0, 9), (0, 10), "")],
            expect![[r#"
            0..9 line 0: "[{1}, {2}"
            FileFacts { bytes: 9, records: 1, bom: false, blank: Places { spans: [], count: 0 }, crlf: None, lone_cr: None, separators: None, no_final_newline: false }
            cuts [(0..2, 0..1)] fresh [0] asked ["[{1}, {2}"]"#]],
        );
    }

    #[test]
    fn undo_brings_values_back() {
        let mut document = Document::new("{1}\n{2}\n");
        let mut records = Records::open(&document, Layout::Lines, str::to_owned);
        let mut edit = |from, to, text: &str| {
            let replaced = document.apply(&[change(from, to, text)], Encoding::Utf8).unwrap();
            records.edited(&document, &replaced, str::to_owned).fresh
        };
        assert_eq!(edit((0, 1), (0, 2), "one"), [0]);
        assert_eq!(edit((0, 1), (0, 4), "1"), [0; 0]);
    }

    /// Text full of what cuts files into lines and records.
    fn text() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            8 => Just("\n"), 3 => Just("\r\n"), 2 => Just("\r"), 4 => Just("{\"a\": \"é😀\"}"),
            2 => Just("{}"), 2 => Just(" "), 1 => Just("\u{2028}"), 1 => Just("\u{feff}"),
            2 => Just("["), 2 => Just("]"), 3 => Just(","), 1 => Just("\""), 1 => Just("\\"),
            1 => Just("{"), 1 => Just("}"), 1 => Just("x"),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    /// Batches of edits: two offsets (in thousandths of the text) and what comes.
    fn batches() -> impl Strategy<Value = Vec<Vec<(usize, usize, String)>>> {
        let edit = (0..=1000usize, 0..=1000usize, text());
        prop::collection::vec(prop::collection::vec(edit, 0..5), 1..5)
    }

    fn array() -> impl Strategy<Value = String> {
        let item = prop_oneof![Just("{\"a\":\n 1}"), Just("{\"b\": \"],\"}"), Just("[[1]]")];
        let items = prop::collection::vec(item, 0..9);
        (items, prop_oneof![Just(",\n"), Just(", "), Just(" ,\r\n")])
            .prop_map(|(items, comma)| format!("[\n{}\n]\n", items.join(comma)))
    }

    fn same_as_reopened(
        start: &str,
        layout: Layout,
        slice: usize,
        batches: &[Vec<(usize, usize, String)>],
    ) {
        let mut document = Document::new(start);
        let mut records = Records::unread(layout);
        records.advance(&document, slice, str::to_owned);
        for (round, batch) in batches.iter().enumerate() {
            let encoding = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32][round % 3];
            let mut text = document.clone();
            let mut changes = Vec::new();
            for (a, b, new) in batch {
                let at = |n: &usize| text.position(n * text.len() / 1000, encoding);
                let (from, to) = (at(a).min(at(b)), at(a).max(at(b)));
                let change = Change { range: Some((from, to)), text: new.clone() };
                text.apply(std::slice::from_ref(&change), encoding).unwrap();
                changes.push(change);
            }
            let replaced = document.apply(&changes, encoding).unwrap();
            assert_eq!(document.text(), text.text());
            records.edited(&document, &replaced, str::to_owned);
            if let Some(frontier) = records.frontier().filter(|_| layout == Layout::Document) {
                let all = Records::open(&document, layout, str::to_owned);
                let read = all.slots().partition_point(|s| s.span().end <= frontier);
                let shown = |slots: &[Slot<String>]| format!("{slots:?}");
                assert_eq!(shown(records.slots()), shown(&all.slots()[..read]));
                records.advance(&document, slice, str::to_owned);
            } else if let Some(frontier) = records.frontier() {
                let read = Document::new(&document.slice(Span::new(0, frontier)));
                let reopened = Records::open(&read, layout, str::to_owned);
                let lines = |r: &Records<String>| show(r, &read);
                assert_eq!(lines(&records), lines(&reopened));
                records.advance(&document, slice, str::to_owned);
            }
        }
        while records.frontier().is_some() {
            records.advance(&document, slice, str::to_owned);
        }
        let reopened = Document::new(&document.text());
        assert_eq!(document.line_count(), reopened.line_count());
        let again = Records::open(&reopened, layout, str::to_owned);
        assert_eq!(show(&records, &document), show(&again, &reopened));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn edited_lines_are_reopened_lines(start in text(), slice in 0..40usize, batches in batches()) {
            same_as_reopened(&start, Layout::Lines, slice, &batches);
        }

        #[test]
        fn edited_documents_are_reopened_documents(
            start in array(), slice in 0..60usize, batches in batches(),
        ) {
            same_as_reopened(&start, Layout::Document, slice, &batches);
        }
    }
}
