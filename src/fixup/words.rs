//! Words as continuity compares them: folded, stemmed a little, and told apart
//! into those that carry content and those that only hold a sentence together.
//!
//! Invariant: two forms of one word have one stem more often than not, and a
//! stem is never longer than its word. Deliberately absent: a dictionary; the
//! lists hold function words alone.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::Span;

/// A word of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Where it stands.
    pub span: Span,
    /// Its stem, in lower case.
    pub stem: String,
    /// It starts with an upper-case letter.
    pub capital: bool,
    /// It is the first of its sentence.
    pub first: bool,
    /// It carries content.
    pub content: bool,
}

/// The words of a text. Scripts written without spaces give runs of letters in
/// place of words: pairs of neighbours, which is what can be compared there.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut all: Vec<Word> = Vec::new();
    let mut end = 0;
    let mut unspaced: Option<(usize, char)> = None;
    for (start, word) in text.unicode_word_indices() {
        let between = &text[end..start];
        end = start + word.len();
        let Some(letter) = word.chars().next() else { continue };
        if is_unspaced(letter) {
            if let Some((before, earlier)) = unspaced.filter(|_| between.is_empty()) {
                let span = Span::new(before, start + letter.len_utf8());
                all.push(pair(span, earlier, letter));
            }
            unspaced = Some((start, letter));
            continue;
        }
        unspaced = None;
        let first = all.is_empty() || between.contains(['.', '!', '?', ':', '\n', '…', '¿', '¡']);
        let folded = fold(word);
        let content = !is_function_word(&folded) && folded.chars().count() > 2;
        all.push(Word {
            span: Span::new(start, end),
            stem: stem(&folded),
            capital: letter.is_uppercase(),
            first,
            content: content || folded.chars().all(|c| c.is_ascii_digit()),
        });
    }
    all
}

fn pair(span: Span, a: char, b: char) -> Word {
    let holds = |c: char| HAN_FUNCTION.contains(c);
    Word {
        span,
        stem: String::from_iter([a, b]),
        capital: false,
        first: false,
        content: !holds(a) && !holds(b),
    }
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace('\u{2019}', "'")
}

const fn is_unspaced(ch: char) -> bool {
    matches!(ch, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

/// Characters that hold Chinese and Japanese sentences together.
const HAN_FUNCTION: &str = "的了是我你他她它们这那不在有和就都也很吗呢吧啊要会可以到说去来一个什么怎多再试最近うのはがをにでとも";

/// A stem: endings that change a word's form and not its meaning are cut.
fn stem(word: &str) -> String {
    let word = word.strip_suffix("'s").unwrap_or(word);
    for ending in ENDINGS {
        if let Some(stem) = word.strip_suffix(ending)
            && stem.chars().count() >= 3
        {
            // `planned` and `plan`: a doubled last letter is single in the stem.
            let mut chars = stem.chars().rev();
            let (last, before) = (chars.next(), chars.next());
            let doubled = last == before && last.is_some_and(|c| !"lsz".contains(c));
            let cut = if doubled { last.map_or(0, char::len_utf8) } else { 0 };
            return stem[..stem.len() - cut].to_owned();
        }
    }
    word.to_owned()
}

/// Longest first.
const ENDINGS: &[&str] = &[
    "ingly", "edly", "ings", "ing", "ies", "ied", "ers", "est", "ed", "es", "er", "ly", "s", "e",
    "y",
];

/// The number a word stands for: digits, or an English number word.
#[must_use]
pub fn number(word: &str) -> Option<u32> {
    if let Ok(number) = word.parse() {
        return Some(number);
    }
    let small = [
        "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    ];
    let folded = word.to_lowercase();
    let at = small.iter().position(|name| *name == folded);
    let larger = [
        ("fifteen", 15),
        ("twenty", 20),
        ("thirty", 30),
        ("forty", 40),
        ("fifty", 50),
        ("hundred", 100),
    ];
    let named = || larger.iter().find(|(name, _)| *name == folded).map(|(_, n)| *n);
    at.and_then(|at| u32::try_from(at + 2).ok()).or_else(named)
}

fn is_function_word(word: &str) -> bool {
    FUNCTION.split_ascii_whitespace().any(|w| w == word)
        || OTHER_LANGUAGES.split_whitespace().any(|w| w == word)
}

/// English words that say nothing about what is being talked about.
const FUNCTION: &str = "a about above after again against all almost already also although always am among an and any anybody anyone anything anyway are aren't around as at away back be became because become been before being below between both but by came can can't cannot come could couldn't did didn't do does doesn't doing don't done down during each either else enough especially even ever every everybody everyone everything exactly far few find first for found from get gets getting give given gives go goes going gone gonna good got great had hadn't happen happened has hasn't have haven't having he he'd he'll he's help helped helps her here here's hers herself him himself his honestly how however huh i i'd i'll i'm i've idea if in instead into is isn't it it'll it's its itself just keep keeps kind knew know known knows last later least less let let's like liked likely little long look looks lot lots made make makes making many may maybe me mean means might mine more most mostly much must my myself need needs neither never new next nice no nobody none nor not nothing now of off often oh ok okay on once one ones only or other others our ours out over own part perhaps please point possible possibly pretty probably put quite rather really right said same saw say saying says see seem seems seen several shall she she'd she'll she's should shouldn't since so some somebody someone something sometimes somewhere soon sort sorry start started still such sure take taken takes taking tell than thank thanks that that'd that'll that's the their theirs them themselves then there there's these they they'd they'll they're they've thing things think this those though thought through till time times to today together told tomorrow too took toward towards tried tries true try trying under until up upon us use used using usually very want wanted wants was wasn't way ways we we'd we'll we're we've well went were weren't what what's whatever when whenever where wherever whether which while who who's whoever whole whom whose why will with without won't would wouldn't yeah yes yesterday yet you you'd you'll you're you've your yours yourself doable realistic serious hard";

/// The same in German, French and Spanish, the commonest ones.
const OTHER_LANGUAGES: &str = "aber als alle alles also am an auch auf aus bei bin bis bist da dann das dass dein deine dem den der des die dies diese dieser dir doch du durch ein eine einem einen einer er es etwas für ganz gar geht gut haben hab habe hast hat hatte hier ich ihm ihn ihr immer im in ins ist ja jetzt kann kannst kein keine man mehr mein meine mich mir mit nach nicht noch nur oder ohne schon sehr sein seine seit sich sie sind so und uns um vom von vor war was wenn werden wie wieder wir wird wo zu zum zur über c'est ce cela ces cette comme dans de du elle elles en est et être fait il ils je la le les leur lui ma mais me mes moi mon ne nos notre nous on ou où par pas plus pour quand que qui sa sans se ses si son sont sur ta te toi ton tout très tu un une vos votre vous crois serait d'accord al algo como con cuando de del desde donde el ella ellos en entre era es esa ese eso esta este esto está hay la las le lo los me mi muy más nada ni no nos o para pero poco por porque qué que se ser si sin sobre son su sus también te tiene todo tu un una uno ya yo él";

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(text: &str) -> Vec<String> {
        words(text).into_iter().filter(|w| w.content).map(|w| w.stem).collect()
    }

    #[test]
    fn forms_of_one_word_have_one_stem() {
        assert_eq!(stems("breathing breathe breathes"), ["breath"; 3]);
        assert_eq!(stems("planned plans planning"), ["plan"; 3]);
        assert_eq!(stems("The lists, and a list."), ["list"; 2]);
        assert_eq!(stems("Claire’s friend is there"), ["clair", "friend"]);
    }

    #[test]
    fn numbers_are_numbers_however_they_are_written() {
        assert_eq!(["10", "ten", "Twenty", "x"].map(number), [Some(10), Some(10), Some(20), None]);
    }

    #[test]
    fn scripts_without_spaces_are_compared_by_pairs() {
        assert_eq!(stems("泡脚的水"), ["泡脚"]);
        assert!(words("").is_empty());
    }
}
