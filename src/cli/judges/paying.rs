//! What a judge is paid, and with which key, as `judges` shows it.
//!
//! Invariant: a price says where it is from and of which day; a price nobody knows
//! is not nought. Of a key only its place is told.

use serde_json::{Value, json};

use crate::config::price_list::Rates;
use crate::config::{Judge, Provider};
use crate::engine::keyring::Whereabouts;
use crate::engine::prices::{Prices, Rate, Source};

/// Where its key is, or what to do.
pub fn key_text(key: &Whereabouts) -> String {
    match key {
        Whereabouts::Unwanted => "none is named".into(),
        Whereabouts::Environment(name) => format!("{name} is set"),
        Whereabouts::Keyring(name) => format!("{name} is in the system keyring"),
        Whereabouts::Missing(names, trouble) => {
            let keyring = match trouble {
                Some(why) => format!(", and {why}"),
                None if cfg!(feature = "keyring") => " nor the system keyring".to_owned(),
                None => String::new(),
            };
            let first = names.first().map_or("", String::as_str);
            format!(
                "the environment has no {}{keyring}: set {first} to the key",
                names.join(" or ")
            )
        }
    }
}

/// The same for programs: the name, whether it is there, and where.
pub fn key_json(key: &Whereabouts) -> Value {
    let (env, place) = match key {
        Whereabouts::Unwanted => return Value::Null,
        Whereabouts::Environment(name) => (Some(name), Some("environment")),
        Whereabouts::Keyring(name) => (Some(name), Some("keyring")),
        Whereabouts::Missing(names, _) => (names.first(), None),
    };
    json!({"env": env, "present": place.is_some(), "place": place})
}

/// The price of a million tokens, and where it is from.
pub fn price_text(judge: &Judge, (rate, source): &(Rate, Source)) -> String {
    let price = match rate {
        Rate::Free => return "free: it stays on this machine".into(),
        Rate::Unknown => {
            return "unknown: nothing is sent under a cap until your own prices.toml names it"
                .into();
        }
        Rate::Priced(price) => price,
    };
    let mut text = format!("{} USD for a million tokens", rates(&price.rates));
    if let Some((over, long)) = &price.long {
        text += &format!("; of prompts over {over} tokens {}", rates(long));
    }
    text += &format!("; in a batch x {}", price.batch);
    if judge.provider == Provider::ClaudeCli {
        text += "; what the program says it cost counts";
    }
    match source {
        Source::Own => text + " (your prices.toml)",
        _ => text + &format!(" (the program's list of {})", Prices::as_of()),
    }
}

fn rates(rates: &Rates) -> String {
    let Rates { input, cached, written, output, .. } = rates;
    format!("{input} in, {cached} cached, {written} written to the cache, {output} out")
}

/// The same for programs, in USD for a million tokens; `null` when nobody knows.
pub fn price_json((rate, source): &(Rate, Source)) -> Value {
    let (source, as_of) = match source {
        Source::Here => ("free", None),
        Source::Own => ("own", None),
        Source::BuiltIn => ("built-in", Some(Prices::as_of())),
        Source::Nowhere => return Value::Null,
    };
    let (rates, batch) = match rate {
        Rate::Priced(price) => (Some(price.rates), price.batch),
        Rate::Free | Rate::Unknown => (None, 1.0),
    };
    let usd = |of: fn(&Rates) -> f64| rates.as_ref().map_or(0.0, of);
    json!({
        "input": usd(|r| r.input), "cached": usd(|r| r.cached), "written": usd(|r| r.written),
        "output": usd(|r| r.output), "batch": batch, "source": source, "as_of": as_of,
    })
}
