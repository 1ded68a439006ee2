//! What personas are sampled from: the persona template and the taxonomy as values,
//! with the workflow's numbers where they say nothing (WR26-WR34).

/// Everything that is sampled from.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// What every persona is given some of: a name, an age, traits.
    pub attributes: Vec<Attribute>,
    /// How users write.
    pub styles: Vec<Style>,
    /// Where their situation goes; it changes the situation, never how they write.
    pub trajectories: Vec<Choice>,
    /// What makes users difficult.
    pub flaws: Flaws,
    /// How a user takes up the last reply.
    pub responses: Vec<Choice>,
    /// What a message may be about, by where the conversation is.
    pub stages: Stages,
    /// Exchanges of a transcript.
    pub exchanges: Bounds,
    /// Words of a reply over those of the message it answers, at most; `None` is any.
    pub reply_ratio: Option<f64>,
    /// Topics a persona brings.
    pub topics_per_persona: usize,
    /// What conversations are about.
    pub topics: Vec<Topic>,
    /// Share of personas that bring one of [`Recipe::edge_cases`] as well.
    pub edge_share: f64,
    /// What is rare and has to go right: a crisis, a question for a doctor, hostility.
    pub edge_cases: Vec<Topic>,
}

/// Something that is picked by weight.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// What it is called.
    pub name: String,
    /// How often, against the others.
    pub weight: f64,
    /// What it means, for the model.
    pub description: Option<String>,
}

/// An attribute of a persona.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// What it is called.
    pub name: String,
    /// How many values a persona has of it.
    pub pick: usize,
    /// The values.
    pub options: Vec<Choice>,
}

/// A least and a most, both allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub min: usize,
    /// The most.
    pub max: usize,
}

/// A way of writing.
#[derive(Clone, Debug, PartialEq)]
pub struct Style {
    /// Its name, weight and description.
    pub choice: Choice,
    /// Words of a message; `None` is any number.
    pub words: Option<Bounds>,
    /// Its weight where an attribute has a value: (attribute, value, weight).
    pub when: Vec<(String, String, f64)>,
}

/// What makes users difficult, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct Flaws {
    /// Share of personas without any.
    pub none_share: f64,
    /// Share of messages in which the primary one shows.
    pub primary: f64,
    /// The same of each secondary one.
    pub secondary: f64,
    /// Secondary ones of a persona that has any.
    pub secondaries: usize,
    /// The patterns.
    pub patterns: Vec<Choice>,
}

/// Guidance by where the conversation is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stages {
    /// The first quarter.
    pub early: Vec<String>,
    /// The next half.
    pub middle: Vec<String>,
    /// The last quarter.
    pub late: Vec<String>,
}

/// A topic with its subtopics.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    /// Its name, weight and description.
    pub choice: Choice,
    /// What it may be exactly; empty where nobody says.
    pub subtopics: Vec<Choice>,
}

impl Choice {
    /// A choice of weight 1.
    #[must_use]
    pub fn new(name: &str, description: &str) -> Self {
        let description = Some(description.to_owned()).filter(|d| !d.is_empty());
        Self { name: name.to_owned(), weight: 1.0, description }
    }

    fn weighing(self, weight: f64) -> Self {
        Self { weight, ..self }
    }

    /// `name: description`, or the name alone.
    #[must_use]
    pub fn said(&self) -> String {
        match &self.description {
            Some(description) => format!("{}: {description}", self.name),
            None => self.name.clone(),
        }
    }
}

/// Words of a message by style, where the files do not say (WR30).
const WORDS: [(&str, usize, usize); 8] = [
    ("terse", 30, 80),
    ("text-speak", 50, 120),
    ("casual", 80, 180),
    ("conversational", 80, 180),
    ("formal", 120, 250),
    ("detailed", 120, 250),
    ("stream", 150, 300),
    ("stream-of-consciousness", 150, 300),
];

/// The words that messages of a well-known style have.
#[must_use]
pub fn usual_words(style: &str) -> Option<Bounds> {
    let plain = style.to_lowercase().replace(['_', ' '], "-");
    let known = WORDS.iter().find(|(name, ..)| *name == plain)?;
    Some(Bounds { min: known.1, max: known.2 })
}

impl Default for Flaws {
    fn default() -> Self {
        let patterns = vec![
            Choice::new("vague", "Leaves out what matters and assumes it is understood"),
            Choice::new("scattered", "Jumps between subjects in one message"),
            Choice::new("buries-the-point", "Mentions what matters most in passing, at the end"),
            Choice::new("yes-but", "Meets every suggestion with a reason why it cannot work"),
            Choice::new("tests", "Doubts that the assistant can help, and says so"),
            Choice::new("minimises", "Plays down how bad it is"),
            Choice::new("catastrophises", "Goes straight to the worst that could happen"),
            Choice::new("blames", "Puts it all on somebody else"),
        ];
        Self { none_share: 0.2, primary: 0.5, secondary: 0.2, secondaries: 2, patterns }
    }
}

impl Default for Recipe {
    fn default() -> Self {
        let style = |name: &str| Style {
            choice: Choice::new(name, ""),
            words: usual_words(name),
            when: Vec::new(),
        };
        Self {
            attributes: Vec::new(),
            styles: ["terse", "text-speak", "casual", "formal", "stream"].map(style).into(),
            trajectories: vec![
                Choice::new("improving", "Things get better bit by bit").weighing(0.3),
                Choice::new("stable", "Things stay about as they are").weighing(0.3),
                Choice::new("volatile", "Good days and bad days take turns").weighing(0.25),
                Choice::new("declining", "Things get worse bit by bit").weighing(0.15),
            ],
            flaws: Flaws::default(),
            responses: vec![
                Choice::new("ignore", "Do not answer what was asked; say what is on your mind")
                    .weighing(0.3),
                Choice::new("tangent", "Touch on what was asked, then turn to something else")
                    .weighing(0.3),
                Choice::new("push-back", "Disagree with, or doubt, something in the reply")
                    .weighing(0.2),
                Choice::new("engage", "Answer what was asked and take it further").weighing(0.2),
            ],
            stages: Stages::default(),
            exchanges: Bounds { min: 15, max: 15 },
            reply_ratio: None,
            topics_per_persona: 1,
            topics: Vec::new(),
            edge_share: 0.15,
            edge_cases: Vec::new(),
        }
    }
}
