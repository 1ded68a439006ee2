//! Where a cursor is in YAML, by indentation and by the brackets of its line.
//!
//! Invariant: total; a guess that cannot be made is no place.

use crate::text::Span;

/// Stands in a path for an item of a list.
pub const ITEM: &str = "-";

/// Where a cursor is.
#[derive(Debug)]
pub struct Place {
    /// The keys it is under, outermost first.
    pub path: Vec<String>,
    /// What is written there.
    pub slot: Slot,
    /// The word at the cursor.
    pub span: Span,
    /// A colon follows the word.
    pub has_colon: bool,
    /// The other keys of the same mapping, for a key.
    pub siblings: Vec<String>,
}

/// What is written at a place.
#[derive(Debug, PartialEq, Eq)]
pub enum Slot {
    /// A key.
    Key,
    /// The value of this key.
    Value(String),
    /// An item of a list.
    Item,
}

/// One line, taken apart.
#[derive(Debug)]
struct Line<'a> {
    /// Columns of its dashes, outermost first.
    dashes: Vec<usize>,
    /// Column of what follows them.
    column: usize,
    /// Its key, if it has one.
    key: Option<&'a str>,
    /// What follows the key's colon, or all where there is no key.
    rest: &'a str,
    /// Where `rest` starts in the line.
    rest_at: usize,
}

impl Place {
    /// The place at a byte of the text; `None` in comments and in text.
    pub fn of(text: &str, at: usize) -> Option<Self> {
        let at = text.floor_char_boundary(at.min(text.len()));
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        let whole = &text[start..end];
        let span = word(whole, at - start);
        let written = &whole[..span.end];
        if written.trim_start().starts_with('#') {
            return None;
        }
        let line = Line::of(written);
        let has_colon = whole[span.end..].trim_start().starts_with(':');
        let mut path = above(&text[..start], &line)?;
        let mut siblings = Vec::new();
        let inside = span.shifted(0);
        let slot = match line.key {
            // The key itself is being written.
            Some(_) if line.rest_at > inside.end => Slot::Key,
            Some(key) => brackets(&mut path, Some(key), line.rest, &mut siblings)?,
            None if opens(line.rest) => brackets(&mut path, None, line.rest, &mut siblings)?,
            None if line.rest.trim() != &whole[span.start..span.end] => return None,
            None if line.dashes.is_empty() => Slot::Key,
            None => Slot::Item,
        };
        if slot == Slot::Key && siblings.is_empty() {
            siblings = beside(text, start, end, line.column);
        }
        if slot == Slot::Item && path.last().is_some_and(|last| last == ITEM) {
            path.pop();
        }
        let span = span.shifted(start);
        Some(Self { path, slot, span, has_colon, siblings })
    }
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let mut dashes = Vec::new();
        let mut column = line.len() - line.trim_start_matches(' ').len();
        while let Some(rest) = line[column..].strip_prefix('-') {
            let blank = rest.len() - rest.trim_start_matches(' ').len();
            if blank == 0 && !rest.is_empty() {
                break;
            }
            dashes.push(column);
            column += 1 + blank;
        }
        let rest = &line[column..];
        let colon = rest.find(':').filter(|at| {
            let after = rest[at + 1..].chars().next();
            let name = rest[..*at].trim_matches(['"', '\'']);
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
            after.is_none_or(char::is_whitespace) && !name.is_empty() && name.chars().all(is_name)
        });
        let key = colon.map(|at| rest[..at].trim_matches(['"', '\'']).trim());
        let rest_at = column + colon.map_or(0, |at| at + 1);
        Self { dashes, column, key, rest: &line[rest_at..], rest_at }
    }
}

/// The word around a column.
fn word(line: &str, at: usize) -> Span {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let before = line[..at].trim_end_matches(is_word).len();
    let after = line.len() - line[at..].trim_start_matches(is_word).len();
    // A dash that stands alone opens an item and is no part of a word.
    let dashes = line[before..at].len() - line[before..at].trim_start_matches('-').len();
    Span::new((before + dashes).min(at), after.max(at))
}

fn opens(text: &str) -> bool {
    matches!(text.trim_start().chars().next(), Some('[' | '{'))
}

/// The keys above a line, outermost first; `None` inside a block of text.
fn above(text: &str, line: &Line<'_>) -> Option<Vec<String>> {
    let mut path: Vec<String> = Vec::new();
    let mut column = line.column;
    for dash in line.dashes.iter().rev() {
        path.push(ITEM.to_owned());
        column = *dash;
    }
    let mut in_list = !line.dashes.is_empty();
    for earlier in text.lines().rev() {
        let bare = earlier.trim();
        if bare.is_empty() || bare.starts_with('#') {
            continue;
        }
        let earlier = Line::of(earlier.trim_end());
        for (index, dash) in earlier.dashes.iter().enumerate().rev() {
            let is_parent = *dash < column && !in_list;
            let content = earlier.dashes.get(index + 1).copied().unwrap_or(earlier.column);
            if is_parent && content <= column {
                path.push(ITEM.to_owned());
                (column, in_list) = (*dash, true);
            }
        }
        // The items of a list may stand under its key, not further in.
        let is_parent = earlier.column < column || in_list && earlier.column == column;
        if let Some(key) = earlier.key.filter(|_| is_parent && earlier.dashes.is_empty()) {
            if matches!(earlier.rest.trim_start().chars().next(), Some('|' | '>')) {
                return None;
            }
            path.push(key.to_owned());
            (column, in_list) = (earlier.column, false);
        }
        if column == 0 && !in_list {
            break;
        }
    }
    path.reverse();
    Some(path)
}

/// Follows the brackets that are open at the end of `rest`, the value of `key`.
fn brackets(
    path: &mut Vec<String>,
    key: Option<&str>,
    rest: &str,
    siblings: &mut Vec<String>,
) -> Option<Slot> {
    let mut open: Vec<(char, Vec<String>)> = Vec::new();
    let mut key = key.map(str::to_owned);
    let mut word = String::new();
    let mut quote = None;
    for ch in rest.chars() {
        match (quote, ch) {
            (Some(mark), _) if ch == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if word.trim().is_empty() => quote = Some(ch),
            (None, '[' | '{') if word.trim().is_empty() => {
                path.extend(key.take());
                open.push((ch, Vec::new()));
                word.clear();
            }
            (None, ']' | '}') if open.pop().is_some() => {
                key = path.pop();
                word.clear();
            }
            (None, ',') if !open.is_empty() => {
                key = None;
                word.clear();
            }
            (None, ':') if matches!(open.last(), Some(('{', _))) => {
                let name = word.trim().to_owned();
                if let Some((_, names)) = open.last_mut() {
                    names.push(name.clone());
                }
                key = Some(name);
                word.clear();
            }
            _ => word.push(ch),
        }
    }
    if quote.is_some() || word.trim().contains(' ') {
        return None;
    }
    match (open.pop(), key) {
        (Some(('[', _)), _) => Some(Slot::Item),
        (Some((_, names)), None) => {
            *siblings = names;
            Some(Slot::Key)
        }
        (_, Some(key)) => Some(Slot::Value(key)),
        (None, None) => None,
    }
}

/// The keys at this column above and below the line, as far as the mapping goes.
fn beside(text: &str, start: usize, end: usize, column: usize) -> Vec<String> {
    let mut keys = Vec::new();
    let mut take = |line: &str| {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with('#') {
            return true;
        }
        let line = Line::of(line);
        if line.column == column {
            keys.extend(line.key.map(str::to_owned));
        }
        // A dash opens the item that the mapping is.
        line.column > column || line.column == column && line.dashes.is_empty()
    };
    let above = text[..start].lines().rev();
    above.take_while(|line| take(line)).count();
    let below = text.get(end + 1..).unwrap_or_default().lines();
    below.take_while(|line| !line.trim_start().starts_with("- ") && take(line)).count();
    keys
}
