//! Outlines for the tests of the features that draw on them. Test code only.
//!
//! Invariant: small enough to check by eye.

use super::record::{Outline, OutlineExchange, OutlineMessage};
use crate::text::Span;
use crate::transcript::{Role, Shape};

/// One exchange: a system message, three words, a reply of six.
pub fn outline() -> Outline {
    let message = |role, exchange, start: usize, words| OutlineMessage {
        role,
        exchange,
        source: Span::new(start, start + 10),
        text_source: Span::new(start + 1, start + 9),
        words,
        tokens: None,
    };
    Outline {
        id: "t-1".into(),
        id_source: Some(Span::new(7, 12)),
        shape: Shape::Messages,
        digest: None,
        content: 0,
        normalised: None,
        batch: None,
        tokens: None,
        messages: vec![
            message(Role::System, None, 30, 4),
            message(Role::User, Some(1), 50, 3),
            message(Role::Assistant, Some(1), 70, 6),
        ],
        exchanges: vec![OutlineExchange {
            number: 1,
            source: Span::new(50, 80),
            user_words: 3,
            reply_words: 6,
        }],
    }
}
