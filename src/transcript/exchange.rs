//! Messages into exchanges, as SPEC section 1 defines them.
//!
//! An exchange starts at a run of user messages and takes every later non-user
//! message up to the next user. System messages belong to none, and do not end
//! a run. Messages before the first user belong to none. A last user without a
//! reply is no exchange. Invariant: numbers run from 1 without a gap.

use super::{Exchange, Message, Role};

/// The exchanges of a conversation, in order.
#[must_use]
pub fn exchanges(messages: &[Message]) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        match (message.role, exchanges.last_mut()) {
            (Role::System, _) => {}
            (Role::User, Some(open)) if open.rest.is_empty() => open.user.push(index),
            (Role::User, _) => {
                let number = u32::try_from(exchanges.len()).unwrap_or(u32::MAX).saturating_add(1);
                exchanges.push(Exchange { number, user: vec![index], rest: Vec::new() });
            }
            (_, Some(open)) => open.rest.push(index),
            (_, None) => {}
        }
    }
    let replied = |e: &Exchange| e.rest.iter().any(|&i| messages[i].role == Role::Assistant);
    if exchanges.last().is_some_and(|last| !replied(last)) {
        exchanges.pop();
    }
    exchanges
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::testing;

    fn check(fixture: &str, expect: Expect) {
        let (_, transcript) = testing::transcript(fixture);
        let lines: Vec<String> = transcript
            .exchanges
            .iter()
            .map(|e| {
                let (user, reply) = (transcript.user_text(e), transcript.reply(e));
                format!("{} {:?}+{:?} {user:?} -> {reply:?}\n", e.number, e.user, e.rest)
            })
            .collect();
        expect.assert_eq(&lines.concat());
        for index in 0..=transcript.messages.len() {
            let holds = |e: &&Exchange| e.user.contains(&index) || e.rest.contains(&index);
            let number = transcript.exchanges.iter().find(holds).map(|e| e.number);
            assert_eq!(transcript.exchange_of(index), number);
        }
    }

    #[test]
    fn a_run_of_users_starts_an_exchange() {
        check(
            "user: a\nuser: b\nassistant: c\ntool: t\nassistant: d\nuser: e\nassistant: f",
            expect![[r#"
                1 [0, 1]+[2, 3, 4] "a\n\nb" -> "c\n\nd"
                2 [5]+[6] "e" -> "f"
            "#]],
        );
    }

    #[test]
    fn system_messages_belong_to_none_and_part_nothing() {
        check(
            "system: s\nuser: a\nsystem: s\nuser: b\nassistant: c\nsystem: s\nassistant: d",
            expect![[r#"
                1 [1, 3]+[4, 6] "a\n\nb" -> "c\n\nd"
            "#]],
        );
    }

    #[test]
    fn what_has_no_user_before_it_or_no_reply_behind_it_is_no_exchange() {
        check(
            "assistant: hi\nuser: a\nassistant: b\nuser: c",
            expect![[r#"
            1 [1]+[2] "a" -> "b"
        "#]],
        );
        check("user: a\ntool: t", expect![""]);
        check(
            "user: a\ntool: t\nuser: b\nassistant: c",
            expect![[r#"
            1 [0]+[1] "a" -> ""
            2 [2]+[3] "b" -> "c"
        "#]],
        );
    }
}
