//! What the two sides are told, and which prompts are none.

use expect_test::{Expect, expect};

use super::*;
use crate::generate::{Recipe, Rolls, Said, sample, turn};

const FENCE: FenceKey = FenceKey::new([1; 32]);

fn said(text: &str) -> Said {
    Said { text: text.to_owned(), violation: None }
}

fn persona() -> (Recipe, Persona) {
    let recipe = crate::generate::read(
        "attributes: {name: [Omar]}\nflaws: {none_share: 0, primary: 1}\nwriting_styles: {terse: Says little}\nexchanges: 4\n",
        "topics: {work: {subtopics: {deadlines: They move}}}\nedge_share: 0\n",
    )
    .recipe;
    let persona = sample(&recipe, Rolls { seed: 1, index: 2 });
    (recipe, persona)
}

#[test]
fn the_user_is_told_who_it_is_and_sees_everything() {
    let (recipe, persona) = persona();
    let first = turn(&recipe, &persona, 1);
    let history = [Exchange { turn: first, user: said("Hi {{flaws}}"), assistant: said("Hello.") }];
    let turn = turn(&recipe, &persona, 2);
    let words = persona.words;
    let next = Next {
        persona: &persona,
        history: &history,
        turn: &turn,
        words,
        missed: Some(3),
        fence: FENCE,
    };
    let prompt = user(&RolePrompt::parse(Speaker::User, USER_SIM).unwrap(), &next);
    let system = prompt.system_text();
    assert!(system.contains("- name: Omar\n- writes: terse: Says little\n"), "{system}");
    assert!(system.contains("\n- work / deadlines: They move\n"), "{system}");
    expect![[r#"
        The conversation so far stands between lines that begin with `==e3cd16a562dce15e==`; a line without this mark belongs to the message above it.

        ==e3cd16a562dce15e== exchange 1, user
        Hi {{flaws}}

        ==e3cd16a562dce15e== exchange 1, assistant
        Hello.

        ==e3cd16a562dce15e== end

        Write your message number 2 of 4. The conversation is in its middle part.

        - What it may be about: whatever is on your mind
        - How you take up the last reply: ignore: Do not answer what was asked; say what is on your mind
        - What makes you difficult in this message: yes-but: Meets every suggestion with a reason why it cannot work
        - Its length: 30 to 80 words.

        Your last attempt had 3 words. Write it anew, 30 to 80 words."#]].assert_eq(&prompt.user_text());
}

#[test]
fn the_assistant_is_told_the_system_prompt_and_sees_everything() {
    let (recipe, persona) = persona();
    let turn = turn(&recipe, &persona, 1);
    let words = Some(Bounds { min: 1, max: 6 });
    let next =
        Next { persona: &persona, history: &[], turn: &turn, words, missed: None, fence: FENCE };
    let prompt = RolePrompt::parse(Speaker::Assistant, ASSISTANT).unwrap();
    let prompt = assistant(&prompt, "Be {{kind}}.\n", "I am tired.", &next);
    assert!(prompt.system_text().starts_with("Be {{kind}}.\n\nHow you write"), "{prompt:?}");
    expect![[r#"
        The conversation so far stands between lines that begin with `==e3cd16a562dce15e==`; a line without this mark belongs to the message above it.

        ==e3cd16a562dce15e== the message to answer
        I am tired.
        ==e3cd16a562dce15e== end

        Write the reply. Their message has 3 words; its length: at most 6 words."#]].assert_eq(&prompt.user_text());
}

#[test]
fn no_message_can_hold_the_boundary() {
    let (recipe, persona) = persona();
    let turn = turn(&recipe, &persona, 2);
    fn next<'a>(persona: &'a Persona, history: &'a [Exchange], turn: &'a Turn) -> Next<'a> {
        Next { persona, history, turn, words: None, missed: None, fence: FENCE }
    }
    let mark = boundary(&next(&persona, &[], &turn), None);
    let spy = Exchange { turn: turn.clone(), user: said(&mark), assistant: said("a") };
    let spied = [spy];
    assert_ne!(boundary(&next(&persona, &spied, &turn), None), mark);
    assert_ne!(boundary(&next(&persona, &[], &turn), Some(&mark)), mark);
}

fn check(text: &str, expected: Expect) {
    let read = RolePrompt::parse(Speaker::User, text);
    expected.assert_eq(&read.map_or_else(
        |e| e.to_string(),
        |p| format!("{}\n~\n{}", p.system, p.user.lines().count()),
    ));
}

#[test]
fn a_prompt_of_ones_own_may_be_plain() {
    check(
        "---\nname: mine\n---\nYou are {{persona}}.\r\n",
        expect![[r#"
        You are {{persona}}.

        Answer with the JSON object alone: `message` is the message.
        ~
        11"#]],
    );
    check(
        "# System\nYou are {{persona}}.\n# User\n{{boundary}}{{history}}Go.\n",
        expect![[r#"
        You are {{persona}}.
        ~
        1"#]],
    );
}

#[test]
fn what_is_no_prompt_is_said_with_its_line() {
    check(
        "a\n{{user_name}}\n",
        expect![
            "line 2: unknown placeholder `user_name`; there are persona, topics, number, total, stage, guidance, response, flaws, words, boundary, history, again"
        ],
    );
    check(
        "# System\na\n",
        expect!["line 2: no line reads `# User`: what is asked at the end stands under it"],
    );
    check(
        "# System\na\n# User\n{{boundary}}\n",
        expect!["line 4: {{history}} is never used under `# User`: the conversation stands there"],
    );
}

#[test]
fn a_reply_is_one_message() {
    assert_eq!(message("{\"message\": \" Hi. \"}").as_deref(), Some("Hi."));
    for reply in ["Hi.", "{}", "{\"message\": 3}", "{\"message\": \"  \"}", "[\"message\"]"] {
        assert_eq!(message(reply), None, "{reply}");
    }
}
