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
    let numbers = numbers(messages.iter().map(|m| m.role));
    for (index, (message, number)) in messages.iter().zip(numbers).enumerate() {
        let Some(number) = number else { continue };
        if exchanges.last().is_none_or(|e| e.number != number) {
            exchanges.push(Exchange { number, user: Vec::new(), rest: Vec::new() });
        }
        let Some(open) = exchanges.last_mut() else { continue };
        let side = if message.role == Role::User { &mut open.user } else { &mut open.rest };
        side.push(index);
    }
    exchanges
}

/// The number of the exchange that each message belongs to, by who speaks.
#[must_use]
pub fn numbers(roles: impl Iterator<Item = Role>) -> Vec<Option<u32>> {
    let mut numbers = Vec::with_capacity(roles.size_hint().0);
    // The exchange that is open, and what it holds besides its users.
    let (mut open, mut rest, mut replied) = (0_u32, 0, false);
    for role in roles {
        match role {
            Role::System => {}
            Role::User if open > 0 && rest == 0 => {}
            Role::User => (open, rest, replied) = (open.saturating_add(1), 0, false),
            _ if open > 0 => {
                rest += 1;
                replied |= role == Role::Assistant;
            }
            _ => {}
        }
        numbers.push(Some(open).filter(|n| *n > 0 && role != Role::System));
    }
    if open > 0 && !replied {
        // A last user without a reply is no exchange.
        numbers.iter_mut().filter(|n| **n == Some(open)).for_each(|n| *n = None);
    }
    numbers
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
