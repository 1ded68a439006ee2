//! A drawing with a scale: the little that the plots need of SVG.
//!
//! Invariant: colours and strokes come from the page's classes, so a drawing is
//! right in light and dark; every text is escaped here.

use std::fmt::Write as _;

use super::html::escaped;

/// A drawing under way.
#[derive(Debug)]
pub struct Drawing {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text stands to its point.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// The shape of a mark: what tells series apart without colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A disc.
    Disc,
    /// A square.
    Square,
    /// A triangle.
    Triangle,
    /// A diamond.
    Diamond,
    /// A cross.
    Cross,
    /// A ring.
    Ring,
}

impl Shape {
    /// The shape of the judge of this number.
    #[must_use]
    pub const fn of_series(index: usize) -> Self {
        match index % 6 {
            0 => Self::Disc,
            1 => Self::Square,
            2 => Self::Triangle,
            3 => Self::Diamond,
            4 => Self::Cross,
            _ => Self::Ring,
        }
    }
}

impl Drawing {
    /// An empty drawing of this size, in pixels.
    #[must_use]
    pub const fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.body.write_fmt(element);
    }

    /// A line.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.push(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A rectangle, with what it says when pointed at.
    pub fn bar(&mut self, class: &str, at: (f64, f64), size: (f64, f64), says: &str) {
        let ((x, y), (w, h)) = (at, (size.0.max(0.0), size.1.max(0.0)));
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{w:.1}\" height=\"{h:.1}\"><title>{}</title></rect>",
            escaped(says)
        ));
    }

    /// A text.
    pub fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.push(format_args!(
            "<text class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            at.0,
            at.1,
            escaped(text)
        ));
    }

    /// A line or an area through points.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)], closed: bool) {
        let mut d = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" });
        }
        let end = if closed { "Z" } else { "" };
        self.push(format_args!("<path class=\"{class}\" d=\"{d}{end}\"/>"));
    }

    /// A mark, with what it says when pointed at.
    pub fn mark(&mut self, class: &str, shape: Shape, (x, y): (f64, f64), says: &str) {
        let r = 5.0;
        let says = escaped(says);
        let title = format!("<title>{says}</title>");
        match shape {
            Shape::Disc | Shape::Ring => {
                let ring = if shape == Shape::Ring { " ring" } else { "" };
                self.push(format_args!(
                    "<circle class=\"{class}{ring}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r}\">{title}</circle>"
                ));
            }
            _ => {
                let corners: Vec<(f64, f64)> = match shape {
                    Shape::Square => vec![(-r, -r), (r, -r), (r, r), (-r, r)],
                    Shape::Triangle => vec![(0.0, -r - 1.0), (r + 1.0, r), (-r - 1.0, r)],
                    Shape::Cross => {
                        let (a, b) = (r + 0.5, 2.0);
                        vec![
                            (-a, b - a),
                            (b - a, -a),
                            (0.0, -b),
                            (a - b, -a),
                            (a, b - a),
                            (b, 0.0),
                            (a, a - b),
                            (a - b, a),
                            (0.0, b),
                            (b - a, a),
                            (-a, a - b),
                            (-b, 0.0),
                        ]
                    }
                    _ => vec![(0.0, -r - 1.5), (r + 1.5, 0.0), (0.0, r + 1.5), (-r - 1.5, 0.0)],
                };
                let points: Vec<String> =
                    corners.iter().map(|(a, b)| format!("{:.1},{:.1}", x + a, y + b)).collect();
                self.push(format_args!(
                    "<polygon class=\"{class}\" points=\"{}\">{title}</polygon>",
                    points.join(" ")
                ));
            }
        }
    }

    /// The drawing as an element with a name, for those who do not see it.
    #[must_use]
    pub fn finish(self, name: &str) -> String {
        let Self { width, height, body } = self;
        format!(
            "<svg class=\"plot\" role=\"img\" aria-label=\"{}\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\">{body}</svg>",
            escaped(name)
        )
    }
}

/// A scale from numbers to pixels.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// The number at the first pixel and at the last.
    pub domain: (f64, f64),
    /// The pixels.
    pub range: (f64, f64),
}

impl Scale {
    /// The pixel of a number; numbers outside stand at the edge.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let ((low, high), (from, to)) = (self.domain, self.range);
        let share = if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
        from + share * (to - from)
    }
}

/// A round number at or above `most / steps`, to step by.
#[must_use]
pub fn step(most: f64, steps: f64) -> f64 {
    let rough = (most / steps).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|round| round * power >= rough * 0.999);
    round.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_scales_stay_inside() {
        let steps =
            [(10.0, 5.0), (17.0, 5.0), (16_000.0, 8.0), (0.3, 6.0)].map(|(m, s)| step(m, s));
        assert_eq!(steps, [2.0, 5.0, 2000.0, 0.05]);
        let scale = Scale { domain: (0.0, 1.0), range: (10.0, 110.0) };
        assert_eq!([-1.0, 0.5, 9.0].map(|value| scale.at(value)), [10.0, 60.0, 110.0]);
    }
}
