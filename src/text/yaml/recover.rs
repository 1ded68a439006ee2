//! Reading on after a syntax error: blank out the few bytes that break it, read again.
//!
//! Which bytes those are is found by trying: the value, the line, the opening of
//! a quote that never closes, the block. What lets the parser get furthest wins;
//! of equals the smallest. Rounds and bytes are bounded, so it always ends; when
//! they run out, the tree up to the last error stands.

use super::build::{self, Reading, Stop};
use super::{MAX_BYTES, Problem, ProblemKind, Yaml};
use crate::text::Span;

/// Errors after which the rest is no longer read.
const MAX_ROUNDS: usize = 20;

/// Bytes all rounds together may read.
const MAX_WORK: usize = 16 << 20;

/// The tree of `text` and everything wrong with it.
pub(super) fn parse(text: &str) -> Yaml {
    if text.len() > MAX_BYTES {
        let message = format!("larger than {} MB: not read as YAML", MAX_BYTES >> 20);
        let span = Span::new(0, text.lines().next().map_or(0, str::len));
        let problem = Problem { kind: ProblemKind::Size, span, message };
        return Yaml { problems: vec![problem], ..Yaml::default() };
    }
    // A byte order mark is no content; blank it, so that offsets stay.
    let mut buffer = text.to_owned();
    if text.starts_with('\u{feff}') {
        buffer.replace_range(0..3, "   ");
        // Three blanks would indent the first line; a line break of their own does not.
        buffer.replace_range(2..3, "\n");
    }
    Recovery { text, buffer, work: 0, problems: Vec::new(), masked: Vec::new() }.run()
}

struct Recovery<'a> {
    text: &'a str,
    /// The text with everything unreadable blanked.
    buffer: String,
    work: usize,
    problems: Vec<Problem>,
    masked: Vec<Span>,
}

impl Recovery<'_> {
    fn run(mut self) -> Yaml {
        let mut reading = self.read_buffer();
        for _ in 0..MAX_ROUNDS {
            let Some(stop) = reading.stopped.take() else { break };
            let tried = self.best_mask(&stop);
            self.problems.push(self.problem(&stop, tried.as_ref().map(|t| t.0)));
            let Some((mask, better)) = tried else { break };
            self.blank(mask);
            self.masked.push(mask);
            reading = better;
        }
        if let Some(stop) = &reading.stopped {
            self.problems.push(self.problem(stop, None));
        }
        let mut yaml = reading.yaml;
        self.round(&mut yaml);
        yaml.problems.append(&mut self.problems);
        yaml.problems.sort_by_key(|p| p.span);
        yaml.problems.dedup_by(|a, b| a.span == b.span && a.kind == b.kind);
        yaml.masked.append(&mut self.masked);
        yaml.masked.sort();
        yaml
    }

    /// Blanks are narrower than what they stand for: a place among them may be
    /// inside a character of the text itself.
    fn round(&self, yaml: &mut Yaml) {
        let spans = yaml.nodes.iter_mut().map(|node| &mut node.span);
        let spans = spans.chain(yaml.problems.iter_mut().map(|problem| &mut problem.span));
        for span in spans.chain(&mut yaml.masked) {
            let start = self.text.floor_char_boundary(span.start);
            *span = Span::new(start, self.text.floor_char_boundary(span.end));
        }
    }

    fn read_buffer(&mut self) -> Reading {
        self.work += self.buffer.len();
        build::read(&self.buffer)
    }

    /// The mask that gets furthest past `stop`, and the reading it gives. Larger
    /// masks are tried only where smaller ones do not get past the line.
    fn best_mask(&mut self, stop: &Stop) -> Option<(Span, Reading)> {
        let line_end = self.line_with_words(stop.at).end.max(stop.at);
        for tier in self.candidates(stop) {
            let mut best: Option<(usize, Span, Reading)> = None;
            for mask in tier {
                if self.work > MAX_WORK {
                    return None;
                }
                let reading = self.without(mask);
                let reach = reading.stopped.as_ref().map_or(usize::MAX, |s| s.at);
                if reach > line_end && best.as_ref().is_none_or(|(most, ..)| reach > *most) {
                    best = Some((reach, mask, reading));
                }
                if reach == usize::MAX {
                    break;
                }
            }
            if let Some((_, mask, reading)) = best {
                return Some((mask, reading));
            }
        }
        None
    }

    /// What the text reads like without the bytes of `mask`.
    fn without(&mut self, mask: Span) -> Reading {
        let kept = self.buffer.clone();
        self.blank(mask);
        let reading = self.read_buffer();
        self.buffer = kept;
        reading
    }

    /// What could be blanked: words and lines, then blocks, then the rest; in each
    /// the smallest and likeliest first.
    fn candidates(&self, stop: &Stop) -> [Vec<Span>; 3] {
        let at = stop.at.min(self.buffer.len());
        let line = self.line_with_words(at);
        let above = self.line_with_words(line.start.saturating_sub(1));
        let before = self.line_with_words(stop.before);
        // A quote or bracket that does not close is the culprit, wherever it was
        // noticed; so is a tab in an indentation.
        let tabbed = self.tabbed_line(before, line);
        let mut words: Vec<Span> = tabbed.into_iter().collect();
        words.extend(self.unclosed_quote_before(line).map(|opening| self.value_of(opening)));
        words.extend(stop.bracket.filter(|&b| b < above.end).map(|b| Span::new(b, above.end)));
        for line in [line, above, before] {
            words.extend([self.value_of(line), line]);
        }
        let blocks = [line, above, before].map(|line| self.block_at(line)).to_vec();
        let top = Span::new(self.top_block_start(line.start), self.block_at(line).end);
        let rest = vec![top, Span::new(line.start, self.buffer.len())];
        let mut seen = Vec::new();
        [words, blocks, rest].map(|mut tier| {
            tier.retain(|&mask| {
                let fresh = !seen.contains(&mask) && !mask.of(&self.buffer).trim().is_empty();
                seen.push(mask);
                fresh
            });
            tier
        })
    }

    /// The first line from `first` to behind `last` that is indented by a tab.
    fn tabbed_line(&self, first: Span, last: Span) -> Option<Span> {
        let mut line = first.min(last);
        for _ in 0..64 {
            let text = line.of(&self.buffer);
            if text[..indent_of(text)].contains('\t') && !text.trim().is_empty() {
                return Some(line);
            }
            if line.end >= self.buffer.len() || line.start > last.end {
                return None;
            }
            line = self.line(line.end + 1);
        }
        None
    }

    /// The line that holds `at`, or the last one before it that is not blank.
    fn line_with_words(&self, at: usize) -> Span {
        let mut line = self.line(at);
        while line.of(&self.buffer).trim().is_empty() && line.start > 0 {
            line = self.line(line.start - 1);
        }
        line
    }

    /// The line that holds `at`, without its line break.
    fn line(&self, at: usize) -> Span {
        let bytes = self.buffer.as_bytes();
        let at = at.min(bytes.len());
        let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |n| n + 1);
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |n| start + n);
        Span::new(start, end)
    }

    /// The nearest line at or above `line` whose value opens a quote and never closes it.
    fn unclosed_quote_before(&self, line: Span) -> Option<Span> {
        let mut line = line;
        for _ in 0..64 {
            let value = self.value_of(line).of(&self.buffer).trim();
            if opens_without_closing(value) {
                return Some(line);
            }
            if line.start == 0 {
                return None;
            }
            line = self.line(line.start - 1);
        }
        None
    }

    /// What stands after `key: ` or `- ` in a line; the whole line without either.
    fn value_of(&self, line: Span) -> Span {
        let text = line.of(&self.buffer);
        let Some(colon) = text.find(": ") else { return line };
        let key = text[..colon].trim_start().trim_start_matches("- ");
        let plain = !key.is_empty() && !key.contains(['"', '\'', '{', '[', '#']);
        if plain { Span::new(line.start + colon + 2, line.end) } else { line }
    }

    /// The line and every following line that is indented more.
    fn block_at(&self, line: Span) -> Span {
        let indent = indent_of(line.of(&self.buffer));
        let mut end = line.end;
        while end < self.buffer.len() {
            let next = self.line(end + 1);
            let text = next.of(&self.buffer);
            if !text.trim().is_empty() && indent_of(text) <= indent {
                break;
            }
            end = next.end.max(end + 1);
        }
        Span::new(line.start, end.min(self.buffer.len()))
    }

    /// Start of the nearest line at or above `at` that is not indented.
    fn top_block_start(&self, at: usize) -> usize {
        let mut line = self.line(at);
        while line.start > 0 {
            let text = line.of(&self.buffer);
            if !text.trim().is_empty() && indent_of(text) == 0 {
                break;
            }
            line = self.line(line.start - 1);
        }
        line.start
    }

    /// Replaces every byte but line breaks by a blank.
    fn blank(&mut self, span: Span) {
        let blanks: String = span
            .of(&self.buffer)
            .bytes()
            .map(|b| if matches!(b, b'\n' | b'\r') { char::from(b) } else { ' ' })
            .collect();
        self.buffer.replace_range(span.start..span.end, &blanks);
    }

    /// The problem as told: where the words are that were given up, or where it stopped.
    fn problem(&self, stop: &Stop, mask: Option<Span>) -> Problem {
        let at = self.text.floor_char_boundary(stop.at.min(self.text.len()));
        let line = mask.map_or_else(|| self.line_with_words(at), |m| self.first_words(m));
        let inside = line.start <= at && at < line.end;
        let unclosed = opens_without_closing(line.of(self.text).trim());
        // A line given up as a whole is meant as a whole.
        let whole = mask.is_some_and(|mask| mask.start == self.line(mask.start).start);
        let span = if inside && !unclosed && !whole { Span::new(at, line.end) } else { line };
        let span = trimmed(span, self.text);
        Problem { kind: ProblemKind::Syntax, span, message: message(stop, span, self.text) }
    }

    /// The first line of a mask that says something.
    fn first_words(&self, mask: Span) -> Span {
        let text = mask.of(self.text);
        let mut start = mask.start;
        for line in text.split_inclusive('\n') {
            if !line.trim().is_empty() {
                return Span::new(start, start + line.trim_end().len());
            }
            start += line.len();
        }
        mask
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

fn trimmed(span: Span, text: &str) -> Span {
    let words = span.of(text);
    let start = span.start + (words.len() - words.trim_start().len());
    let end = span.start + words.trim_end().len();
    if start < end { Span::new(start, end) } else { span }
}

/// True for `"abc` and `'abc`: a value whose quote is not closed in its line.
fn opens_without_closing(value: &str) -> bool {
    let Some(quote @ ('"' | '\'')) = value.chars().next() else { return false };
    let mut rest = value[1..].chars();
    while let Some(ch) = rest.next() {
        match ch {
            '\\' if quote == '"' => {
                rest.next();
            }
            ch if ch == quote => return false,
            _ => {}
        }
    }
    true
}

/// What is wrong and what to do, in the user's words where the case is known.
fn message(stop: &Stop, span: Span, text: &str) -> String {
    let words = span.of(text).trim();
    let line = &text[..span.start.min(text.len())];
    let line_start = line.rfind('\n').map_or(0, |n| n + 1);
    let indent = &text[line_start..span.start.min(text.len())];
    let advice = if opens_without_closing(words) {
        "this quote is never closed: add the closing quote"
    } else if words.starts_with(['[', '{']) && !words.ends_with([']', '}']) {
        "this bracket is never closed: close it"
    } else if stop.message.contains("unexpected character") {
        "a value that begins with `@` or a backtick must stand in quotes"
    } else if indent.contains('\t') || words.starts_with('\t') {
        "YAML does not take tabs for indentation: use spaces"
    } else if stop.message.contains("unknown anchor") {
        "there is no anchor of this name above: define it with `&name` first"
    } else if stop.message.contains("recursion limit") {
        "nested too deep: flatten this"
    } else if words.starts_with(':') && stop.message.contains("mapping values") {
        "a value that contains `: ` must stand in quotes"
    } else if stop.message.contains("mapping values") {
        "indent this line like its neighbours"
    } else {
        "check quotes, brackets and indentation here"
    };
    format!("not valid YAML ({}): {advice}", stop.message.trim())
}
