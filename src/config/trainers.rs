//! The trainers that `[target]` knows by name. What each does is the doctor's.

/// The trainers; some go by two names.
pub const TRAINERS: &[&str] = &[
    "trl",
    "axolotl",
    "llamafactory",
    "llama-factory",
    "mlx",
    "unsloth",
    "together",
    "fireworks",
    "openai",
    "azure",
    "vertex",
    "gemini",
    "bedrock",
    "mistral",
    "none",
];
