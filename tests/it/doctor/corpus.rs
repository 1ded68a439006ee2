//! What is compared: conversations that templates treat in their own ways, records
//! with faults in every combination, and a tokenizer of their own.

use serde_json::{Map, Value, json};

/// Templates that do what the built-in ones do not.
pub const TEMPLATES: [(&str, &str); 3] = [
    (
        "plain",
        "{{ bos_token }}{% for m in messages %}\n{{ m['role'] | upper }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}{{ eos_token }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}\n{% endfor %}\n",
    ),
    (
        "dated",
        "Today is {{ strftime_now('%d %B %Y') }}.\n{%- for m in messages -%}\n  {%- generation -%}\n  [{{ loop.index }}] {{ m.content | tojson }}\n  {%- endgeneration -%}\n  {{ m.name if m.name is defined else '' }}\n{%- endfor -%}",
    ),
    (
        "spaced",
        "{%- set ns = namespace(n=0) -%}\n{%- for m in messages %}\n    {%- if m.role == 'assistant' %}\n        {%- set ns.n = ns.n + 1 %}\n    {% generation %}\n        {{ (m.content or '') | trim }}<|im_end|>\n    {% endgeneration %}\n    {%- else %}\n{{ m.role }}|{{ m.content }}|{{ ns.n }}\n    {%- endif %}\n{%- endfor %}\n",
    ),
];

/// Conversations, each with something of its own.
pub fn conversations() -> Vec<Value> {
    let say = |role: &str, content: Value| json!({"role": role, "content": content});
    let user = |text: &str| say("user", json!(text));
    let reply = |text: &str| say("assistant", json!(text));
    let tool = json!({"type": "function", "function": {"name": "now", "description": "The <time> & \"more\"", "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}}}});
    let call = |arguments: Value| json!({"role": "assistant", "content": null, "tool_calls": [{"id": "abcdefghi", "type": "function", "function": {"name": "now", "arguments": arguments}}]});
    let result =
        json!({"role": "tool", "tool_call_id": "abcdefghi", "name": "now", "content": "noon é"});
    let talks: Vec<Vec<Value>> = vec![
        vec![user("hello world"), reply("hello")],
        vec![say("system", json!("Be brief.")), user("hello"), reply("hello world")],
        vec![user(" hello\n"), reply("\n\nhello world  ")],
        vec![user("a"), reply("b"), user("c"), reply("d")],
        vec![say("system", json!(" x ")), user("a"), reply("b"), user("c"), reply("d")],
        vec![
            user("hello"),
            reply("<think>\nso\n</think>\n\nhello"),
            user("more"),
            reply("<think>\nagain\n</think>\n\nworld"),
        ],
        vec![
            user("hello"),
            json!({"role": "assistant", "content": "hello", "reasoning_content": "because"}),
        ],
        vec![user("👍🏽 日本語 é"), reply("héllo 👍 wörld — “x”")],
        vec![user("a <|im_end|> b"), reply("</s> [INST] <end_of_turn>")],
        vec![user(""), reply("hello")],
        vec![user("hello"), reply("")],
        vec![user("a"), user("b"), reply("c")],
        vec![user("a"), reply("b"), reply("c")],
        vec![user("only")],
        vec![reply("hello"), user("a")],
        vec![user("a"), say("system", json!("late")), reply("b")],
        vec![say("narrator", json!("once")), user("a"), reply("b")],
        vec![say("developer", json!("rules")), user("a"), reply("b")],
        vec![json!({"role": "user", "content": "hi", "name": "Ann"}), reply("b")],
        vec![user("{{ 'x' }} {% y %}"), reply("\\n \"quoted\" 'single'")],
        vec![user("a\r\nb"), reply("c\td")],
        vec![
            say("user", json!([{"type": "text", "text": "it's"}, {"type": "text", "text": "two"}])),
            reply("b"),
        ],
        vec![
            user("when?"),
            call(json!({"zone": "é", "n": 1, "f": 1.5, "b": true, "z": null})),
            result.clone(),
            reply("at noon"),
        ],
        vec![user("when?"), call(json!("{\"zone\": \"x\"}")), result, reply("at noon")],
    ];
    let mut records: Vec<Value> = talks.into_iter().map(|t| json!({"messages": t})).collect();
    let last = records.len();
    for at in [0, 1, last - 2] {
        let mut with_tools = records[at].clone();
        with_tools["tools"] = json!([tool]);
        records.push(with_tools);
    }
    let mut told = records[0].clone();
    told["chat_template_kwargs"] = json!({"enable_thinking": false});
    records.push(told);
    records
}

/// Records with faults in many combinations, the same at every run. `kind` 1 is of
/// texts and weights, 2 of tools as well.
pub fn faulty(kind: u64) -> Vec<Value> {
    let mut state = 7_u64;
    let mut pick = move |n: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut records = Vec::new();
    for _ in 0..900 {
        let faults = pick(3);
        let turns = 1 + pick(3);
        let mut messages: Vec<Value> = Vec::new();
        if pick(3) == 0 {
            messages.push(json!({"role": "system", "content": "Be brief."}));
        }
        for _ in 0..turns {
            messages.push(json!({"role": "user", "content": "hello"}));
            if kind == 2 && pick(3) == 0 {
                let id = if pick(4) == 0 { "short" } else { "abcdefghi" };
                let name = if pick(6) == 0 { "a b" } else { "now" };
                messages.push(json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}]}));
                if pick(5) != 0 {
                    messages.push(json!({"role": "tool", "tool_call_id": id, "content": "1"}));
                }
            }
            messages.push(json!({"role": "assistant", "content": "hello world"}));
        }
        let mut record = Map::new();
        for _ in 0..faults {
            let at = pick(messages.len() as u64) as usize;
            spoil(&mut messages, at, pick(14), pick(6), kind);
        }
        record.insert("messages".to_owned(), Value::Array(messages));
        if kind == 1 && pick(12) == 0 {
            record.insert("id".to_owned(), json!("t1"));
        }
        if kind == 2 && pick(6) == 0 {
            let schemas = [
                json!({"type": "object", "properties": {}}),
                json!({"type": "obj"}),
                json!({}),
                json!({"type": "object", "required": "x"}),
                json!({"type": "object", "properties": []}),
                json!({"properties": {"a": {"type": ["string", "null"], "enum": ["x", null]}}}),
            ];
            let schema = &schemas[pick(6) as usize];
            record.insert("tools".to_owned(), json!([{"type": "function", "function": {"name": "now", "description": "", "parameters": schema}}]));
        }
        records.push(Value::Object(record));
    }
    records
}

fn spoil(messages: &mut Vec<Value>, at: usize, fault: u64, choice: u64, kind: u64) {
    let weights = [json!(0), json!(1), json!(2), json!(1.0), json!(0.5), json!("1")];
    let Some(message) = messages.get_mut(at) else { return };
    match fault {
        0 | 1 => message["weight"] = weights[choice as usize].clone(),
        2 => {
            message["role"] =
                json!(["user", "assistant", "system", "human", "User", "narrator"][choice as usize])
        }
        3 => message["content"] = json!(""),
        4 if kind == 2 => message["content"] = Value::Null,
        5 if kind == 1 => message["content"] = json!([{"type": "text", "text": "hello"}]),
        6 if kind == 1 => {
            message["content"] =
                json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}])
        }
        7 if kind == 1 => {
            message["content"] =
                json!([{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}])
        }
        8 if kind == 1 => message["content"] = json!(5),
        9 => {
            messages.remove(at);
        }
        10 => {
            let again = messages[at].clone();
            messages.insert(at, again);
        }
        11 if kind == 2 => message["mood"] = json!("kind"),
        12 => {
            messages.pop();
        }
        13 => messages.swap(at, 0),
        _ => {}
    }
    if messages.is_empty() {
        messages.push(json!({"role": "user", "content": "hello"}));
    }
}

/// A byte-level tokenizer with a few words and the control tokens of the families.
pub fn tokenizer() -> String {
    // GPT-2's letters for bytes: printable ones stand for themselves.
    let printable = |b: u32| matches!(b, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let others = (0..256_u32).filter(|b| !printable(*b)).enumerate();
    let others = others.map(|(i, _)| char::from_u32(0x100 + i as u32).unwrap());
    let same = (0..256_u32).filter(|b| printable(*b)).map(|b| char::from_u32(b).unwrap());
    let merges = [
        "h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or", "u s", "e r", "us er", "Ċ Ċ", "Ã ©",
    ];
    let words =
        same.chain(others).map(String::from).chain(merges.iter().map(|m| m.replace(' ', "")));
    let vocabulary: Map<String, Value> =
        words.enumerate().map(|(id, word)| (word, id.into())).collect();
    let control = [
        "<|im_start|>",
        "<|im_end|>",
        "<s>",
        "</s>",
        "<bos>",
        "<eos>",
        "<start_of_turn>",
        "<end_of_turn>",
        "<|begin_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
        "[INST]",
        "[/INST]",
        "<|user|>",
        "<|assistant|>",
        "<|end|>",
        "<think>",
        "</think>",
    ];
    let added = control.iter().enumerate().map(|(id, content)| {
        json!({"id": 1000 + id, "content": content, "single_word": false, "lstrip": false,
               "rstrip": false, "normalized": false, "special": true})
    });
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added.collect::<Vec<_>>(),
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null, "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "vocab": vocabulary, "merges": merges},
    })
    .to_string()
}
