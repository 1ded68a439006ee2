//! The trainers a data set may be for, and what each is documented to do.
//!
//! Invariant: everything here is a published fact about the trainer, taken from
//! its source or its documentation; nothing depends on a record. The versions
//! read: TRL 1.16, axolotl 0.19, LLaMA-Factory 0.9.5, mlx-lm 0.32, mistral-common
//! 1.13, Together's file check of the client 1.6 and 3.1, the vendors' pages of 2026.

use crate::transcript::Shape;

/// Who trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Trainer {
    Trl,
    Axolotl,
    LlamaFactory,
    Mlx,
    Unsloth,
    Together,
    Fireworks,
    OpenAi,
    Vertex,
    Bedrock,
    Mistral,
}

/// Which tokens are trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Every token, those of the system and the user included.
    All,
    /// What the assistant says.
    Replies,
    /// The last message alone.
    Last,
}

/// What a trainer does with a record that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverLength {
    /// It keeps the first tokens.
    Cut,
    /// It leaves the record out.
    Drop,
    /// It refuses the file, or the job.
    Refuse,
    /// It goes on in the next window.
    Split,
}

/// The names people type, the one we print first.
pub const NAMES: [(&str, Trainer); 14] = [
    ("trl", Trainer::Trl),
    ("axolotl", Trainer::Axolotl),
    ("llamafactory", Trainer::LlamaFactory),
    ("llama-factory", Trainer::LlamaFactory),
    ("mlx", Trainer::Mlx),
    ("unsloth", Trainer::Unsloth),
    ("together", Trainer::Together),
    ("fireworks", Trainer::Fireworks),
    ("openai", Trainer::OpenAi),
    ("azure", Trainer::OpenAi),
    ("vertex", Trainer::Vertex),
    ("gemini", Trainer::Vertex),
    ("bedrock", Trainer::Bedrock),
    ("mistral", Trainer::Mistral),
];

impl Loss {
    /// As typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Replies => "replies",
            Self::Last => "last",
        }
    }

    /// As typed: `all`, `replies`, `last`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "all" => Self::All,
            "replies" => Self::Replies,
            "last" => Self::Last,
            _ => return None,
        })
    }
}

impl Trainer {
    /// The trainer of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, trainer)| *trainer)
    }

    /// What to call it in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, trainer)| *trainer == self).map_or("", |(name, _)| name)
    }

    /// Renders records on the user's machine with the model's own chat template, so
    /// what that template does is what happens.
    #[must_use]
    pub const fn renders_here(self) -> bool {
        matches!(self, Self::Trl | Self::Axolotl | Self::Mlx | Self::Unsloth)
    }

    /// Whether records of this shape are read.
    #[must_use]
    pub const fn reads(self, shape: Shape) -> bool {
        match self {
            Self::Trl | Self::Unsloth => matches!(
                shape,
                Shape::Messages | Shape::ShareGpt | Shape::PromptCompletion | Shape::Preference
            ),
            Self::Axolotl | Self::LlamaFactory => {
                matches!(shape, Shape::Messages | Shape::ShareGpt | Shape::Preference)
            }
            Self::Mlx => matches!(shape, Shape::Messages | Shape::PromptCompletion),
            Self::Together => {
                matches!(shape, Shape::Messages | Shape::PromptCompletion | Shape::OpenAiPreference)
            }
            Self::Fireworks | Self::OpenAi => {
                matches!(shape, Shape::Messages | Shape::OpenAiPreference)
            }
            Self::Vertex => matches!(shape, Shape::Gemini),
            Self::Bedrock | Self::Mistral => matches!(shape, Shape::Messages),
        }
    }

    /// The shapes it reads, in words.
    #[must_use]
    pub const fn shapes(self) -> &'static str {
        match self {
            Self::Trl | Self::Unsloth => {
                "`messages`, `conversations`, prompt and completion, or preference pairs"
            }
            Self::Axolotl | Self::LlamaFactory => "`messages`, `conversations` or preference pairs",
            Self::Mlx => "`messages`, or prompt and completion",
            Self::Together => "`messages`, prompt and completion, or OpenAI's preference pairs",
            Self::Fireworks | Self::OpenAi => "`messages` or OpenAI's preference pairs",
            Self::Vertex => "`contents`",
            Self::Bedrock | Self::Mistral => "`messages`",
        }
    }

    /// The shape to convert to: a word of `convert --to`.
    #[must_use]
    pub const fn best_shape(self) -> &'static str {
        if matches!(self, Self::Vertex) { "contents" } else { "messages" }
    }

    /// The keys at the top of a record that it accepts; `None` where others are ignored.
    #[must_use]
    pub const fn top_level_keys(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Together => Some(&[
                "messages",
                "tools",
                "prompt",
                "completion",
                "text",
                "input",
                "preferred_output",
                "non_preferred_output",
            ]),
            Self::OpenAi => Some(&[
                "messages",
                "tools",
                "parallel_tool_calls",
                "functions",
                "input",
                "preferred_output",
                "non_preferred_output",
            ]),
            Self::Bedrock => Some(&["messages", "system", "schemaVersion"]),
            _ => None,
        }
    }

    /// The keys of a system text beside the messages that it reads.
    #[must_use]
    pub const fn system_keys(self) -> &'static [&'static str] {
        match self {
            Self::Axolotl | Self::Bedrock => &["system"],
            Self::Vertex => &["systemInstruction", "system_instruction"],
            Self::Mistral => &["system_prompt"],
            _ => &[],
        }
    }

    /// The role words it accepts; `None` where the chat template decides.
    #[must_use]
    pub const fn roles(self, shape: Shape) -> Option<&'static [&'static str]> {
        match (self, shape) {
            (Self::LlamaFactory, Shape::ShareGpt) => {
                Some(&["human", "gpt", "system", "function_call", "observation"])
            }
            (Self::LlamaFactory | Self::Mistral | Self::Together, _) => {
                Some(&["system", "user", "assistant", "tool"])
            }
            (Self::Unsloth, Shape::ShareGpt) => {
                Some(&["system", "user", "human", "input", "assistant", "gpt", "output"])
            }
            (Self::Fireworks, _) => Some(&["system", "user", "assistant", "tool"]),
            (Self::OpenAi, _) => {
                Some(&["system", "user", "assistant", "tool", "developer", "function"])
            }
            (Self::Vertex, _) => Some(&["user", "model"]),
            (Self::Bedrock, _) => Some(&["user", "assistant"]),
            (Self::Trl | Self::Axolotl | Self::Mlx | Self::Unsloth, _) => None,
        }
    }

    /// Whether two messages of one role in a row are refused.
    #[must_use]
    pub const fn refuses_repeats(self) -> bool {
        matches!(self, Self::Together | Self::Bedrock)
    }

    /// Whether the record must end with the assistant.
    #[must_use]
    pub const fn needs_reply_last(self) -> bool {
        matches!(self, Self::Mistral | Self::Bedrock)
    }

    /// Whether a message can be left out of the loss by `weight`, `train` or the like.
    #[must_use]
    pub const fn reads_weights(self) -> bool {
        !matches!(
            self,
            Self::Trl
                | Self::Mlx
                | Self::Unsloth
                | Self::Bedrock
                | Self::Vertex
                | Self::LlamaFactory
        )
    }

    /// Tokens it keeps where nobody says; `None` where it keeps what the model can hold.
    #[must_use]
    pub const fn default_max_length(self) -> Option<usize> {
        match self {
            Self::Trl => Some(1024),
            Self::Mlx | Self::LlamaFactory | Self::Unsloth => Some(2048),
            Self::OpenAi => Some(65_536),
            Self::Vertex => Some(131_072),
            _ => None,
        }
    }

    /// What it does with a longer record.
    #[must_use]
    pub const fn over_length(self) -> OverLength {
        match self {
            Self::Axolotl => OverLength::Drop,
            Self::Vertex | Self::Bedrock => OverLength::Refuse,
            Self::Mistral => OverLength::Split,
            _ => OverLength::Cut,
        }
    }

    /// What it trains on where nobody says.
    #[must_use]
    pub const fn default_loss(self) -> Loss {
        match self {
            Self::Trl | Self::Mlx => Loss::All,
            _ => Loss::Replies,
        }
    }

    /// Whether it can be told to train on that.
    #[must_use]
    pub const fn can_train(self, loss: Loss) -> bool {
        match self {
            Self::Trl | Self::Unsloth => matches!(loss, Loss::All | Loss::Replies),
            Self::Mlx => matches!(loss, Loss::All | Loss::Last),
            Self::Axolotl | Self::LlamaFactory => true,
            _ => matches!(loss, Loss::Replies),
        }
    }

    /// Records a file must have.
    #[must_use]
    pub const fn fewest_records(self) -> usize {
        match self {
            Self::OpenAi => 10,
            Self::Fireworks => 3,
            _ => 1,
        }
    }

    /// Bytes a file may have.
    #[must_use]
    pub const fn largest_file(self) -> Option<u64> {
        match self {
            Self::OpenAi | Self::Mistral => Some(512 << 20),
            Self::Vertex => Some(1 << 30),
            // 50.1 GB, as its client counts them.
            Self::Together => Some(53_794_465_382),
            _ => None,
        }
    }

    /// Whether a blank line stops it.
    #[must_use]
    pub const fn stops_at_blank_line(self) -> bool {
        matches!(self, Self::Mlx | Self::OpenAi)
    }

    /// Whether a byte order mark stops it.
    #[must_use]
    pub const fn stops_at_bom(self) -> bool {
        matches!(self, Self::OpenAi | Self::Mlx | Self::Together)
    }
}
