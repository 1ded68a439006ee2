//! Where a scalar really ends. The parser's spans reach to the next token, over
//! blanks and comments; an edit must not.

/// Length of a plain scalar at the front of `words`: up to a comment.
pub(super) fn plain(words: &str) -> usize {
    let comment =
        |&(at, _): &(usize, &str)| words[..at].chars().next_back().is_none_or(char::is_whitespace);
    let end = words.match_indices('#').find(comment).map_or(words.len(), |(at, _)| at);
    words[..end].trim_end().len()
}

/// Length of a quoted scalar; a doubled `'` closes and opens again.
pub(super) fn quoted(words: &str, quote: char, escape: Option<char>) -> usize {
    let mut chars = words.char_indices().skip(1).peekable();
    while let Some((at, ch)) = chars.next() {
        if Some(ch) == escape {
            chars.next();
        } else if ch == quote {
            let doubled = escape.is_none() && chars.peek().is_some_and(|c| c.1 == quote);
            if !doubled {
                return at + ch.len_utf8();
            }
            chars.next();
        }
    }
    words.trim_end().len()
}

/// Length of a block scalar: its lines, without a comment that is indented less.
pub(super) fn block(words: &str) -> usize {
    let mut end = 0;
    let mut indent = None;
    let mut at = 0;
    for (number, line) in words.split_inclusive('\n').enumerate() {
        let text = line.trim_start_matches(' ');
        let blanks = line.len() - text.len();
        let blank = text.trim().is_empty();
        let content = number > 0 && !blank;
        if content && blanks < *indent.get_or_insert(blanks) {
            break;
        }
        if !blank {
            end = at + line.trim_end().len();
        }
        at += line.len();
    }
    end
}
