//! T008, T009, M008, M003, K001: what the chat template does to this very record.
//!
//! Invariant: said only where a template is known; an error where the trainer
//! renders with it on the user's machine, a warning where another renders.

use super::input::{self, Handed};
use super::subject::{Part, Subject};
use super::view::{self, View};
use super::{Fate, Trainer};
use crate::finding::{Fix, Severity};
use crate::text::escape;
use crate::text::json::{Kind, Value};
use crate::tokens::template::{ChatTemplate, Located};
use crate::tokens::{Template, TemplateError};
use crate::transcript::Role;

/// Roles that published templates know.
const KNOWN_ROLES: [&str; 6] = ["system", "user", "assistant", "tool", "developer", "ipython"];
/// Messages of one record that are reported; the rest is more of the same.
const MOST: usize = 16;

/// All of them, and the view they are about.
pub(super) fn check(subject: &mut Subject<'_>) -> Option<View> {
    let handed = input::handed(subject);
    let target = subject.target;
    let template = match target.counter.template() {
        Template::Jinja(template) => template,
        Template::OpenAi => return view::of(subject, &handed).ok(),
    };
    let view = match view::rendered(subject, &handed, template) {
        Ok(view) => view,
        Err(error) if target.template_is_known => {
            refused(subject, &handed, template, &error);
            return None;
        }
        Err(_) => return None,
    };
    if target.template_is_known && target.trainer != Trainer::OpenAi {
        lost(subject, &handed, &view);
        calls(subject, &view);
    }
    Some(view)
}

/// How bad it is when the template loses something.
fn rank(subject: &Subject<'_>, fate: Fate) -> (Severity, Fate) {
    if subject.target.trainer.renders_here() {
        (Severity::Error, fate)
    } else {
        (Severity::Warning, Fate::Whole)
    }
}

fn template_name<'a>(subject: &Subject<'a>) -> &'a str {
    subject.target.counter.template().name()
}

/// T008, at the message that makes the template refuse.
fn refused(
    subject: &mut Subject<'_>,
    handed: &Handed<'_>,
    template: &ChatTemplate,
    error: &TemplateError,
) {
    let messages = handed.input.messages.len();
    let fails = |n: &usize| template.render(&handed.input.prefix(*n), false).is_err();
    let first = (1..=messages.min(64)).find(fails).unwrap_or(1);
    let Some(at) = handed.index.get(first - 1) else { return };
    let Some(part) = subject.parts().get(*at).copied() else { return };
    let message = match error {
        TemplateError::Raised(words) => format!(
            "the {} template refuses this record: \"{words}\"; change its messages, or use \
             another template",
            template_name(subject)
        ),
        other => format!("{other} ({} template)", template_name(subject)),
    };
    let rank = rank(subject, Fate::Refused);
    subject.note(&part, "T008", rank, part.message.text_source(), message);
}

/// T009, M008 and M003, message by message.
fn lost(subject: &mut Subject<'_>, handed: &Handed<'_>, view: &View) {
    let parts = subject.parts();
    let mut reported = 0;
    for (at, place) in view.places.iter().enumerate() {
        let Some(part) = parts.get(handed.index[at]).copied() else { continue };
        let role = handed.input.messages[at].role().to_owned();
        let is_list = part.slot.content.is_some_and(|c| c.kind() == Kind::Array);
        let found = if !place.has_text && is_list {
            in_parts(subject, &part, view)
        } else {
            in_text(subject, &part, place, &role)
        };
        reported += usize::from(found);
        if reported == MOST {
            return;
        }
    }
}

/// T009 and M003; true when something was said.
fn in_text(subject: &mut Subject<'_>, part: &Part<'_>, place: &Located, role: &str) -> bool {
    let template = template_name(subject).to_owned();
    let trainer = subject.trainer();
    let is_known = KNOWN_ROLES.contains(&role);
    if place.has_text && place.said.is_none() && !part.message.text.trim().is_empty() {
        let why = if is_known { "" } else { ", because it does not know that role" };
        let message = format!(
            "the {template} template leaves out this `{role}` message{why}: {trainer} trains \
             without it and says nothing"
        );
        let rank = rank(subject, Fate::Changed);
        subject.note(part, "T009", rank, part.message.text_source(), message);
        let fix = rename(part, role);
        subject.fix(fix);
        return true;
    }
    if place.lost_reasoning {
        let message = format!(
            "the {template} template leaves out this message's reasoning: the model is trained \
             without it"
        );
        let rank = (Severity::Info, Fate::Changed);
        subject.note(part, "T009", rank, part.message.text_source(), message);
        return true;
    }
    if !is_known && place.has_text && part.slot.role_value.is_some() {
        let message = format!(
            "the {template} template writes `{role}` as the name of a speaker the model has never \
             seen"
        );
        let rank = rank(subject, Fate::Changed);
        subject.note(part, "M003", rank, part.head(), message);
        let fix = rename(part, role);
        subject.fix(fix);
        return true;
    }
    false
}

fn rename(part: &Part<'_>, role: &str) -> Option<Fix> {
    let meant = part.message.role;
    let word = Some(meant.name()).filter(|_| !matches!(meant, Role::Unknown))?;
    part.slot.role_value?;
    (word != role).then(|| Fix::safe(format!("Rename role to `{word}`"), part.head(), word))
}

/// M008: a list of parts under a template that only writes strings.
fn in_parts(subject: &mut Subject<'_>, part: &Part<'_>, view: &View) -> bool {
    let Some(list) = part.slot.content else { return false };
    let texts: Vec<Value<'_>> = list.items().filter_map(|item| item.get("text")).collect();
    let is_there = |text: &Value<'_>| {
        text.str().is_none_or(|t| t.trim().is_empty() || view.text.contains(t.trim()))
    };
    let is_repr = view.text.contains("[{'type'") || view.text.contains("[{\"type\"");
    let template = template_name(subject).to_owned();
    let message = if !texts.iter().all(is_there) {
        format!(
            "the {template} template writes strings only: nothing of this list of parts reaches \
             the model; write the content as a string"
        )
    } else if is_repr {
        format!(
            "the {template} template writes this list of parts as it stands, with brackets and \
             keys: write the content as a string"
        )
    } else {
        return false;
    };
    let rank = rank(subject, Fate::Changed);
    subject.note(part, "M008", rank, part.head(), message);
    if texts.len() == list.items().count() {
        let joined: Vec<String> =
            texts.iter().filter_map(|t| t.str().map(std::borrow::Cow::into_owned)).collect();
        let text = escape::encode(&joined.join("\n"), subject.style());
        let fix = Fix::safe("Write the parts as one string", list.span(), format!("\"{text}\""));
        subject.fix(Some(fix));
    }
    true
}

/// K001: arguments that are text, under a template that writes them as JSON: the
/// model learns to write JSON inside a string.
fn calls(subject: &mut Subject<'_>, view: &View) {
    for part in subject.parts() {
        let calls = part.slot.source.get("tool_calls");
        let calls: Vec<Value<'_>> =
            calls.into_iter().flat_map(|c| c.items().collect::<Vec<_>>()).collect();
        for call in calls {
            let function = call.get("function").unwrap_or(call);
            let Some(arguments) = function.get("arguments") else { continue };
            let Some(text) = arguments.str().filter(|t| t.trim_start().starts_with('{')) else {
                continue;
            };
            let again = serde_json::to_string(&text).unwrap_or_default();
            // Axolotl reads the text before it renders.
            if subject.target.trainer == Trainer::Axolotl || !view.text.contains(&again) {
                continue;
            }
            let message = format!(
                "the {} template writes these arguments as a string in quotes, since they are \
                 one: the model learns to answer in escaped JSON; write them as an object",
                template_name(subject)
            );
            let rank = rank(subject, Fate::Changed);
            subject.note(&part, "K001", rank, super::subject::inside(arguments), message);
            let object = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            let fix = Fix::safe("Write the arguments as an object", arguments.span(), &*text);
            subject.fix(Some(fix).filter(|_| object));
        }
    }
}
