//! Small SVG charts: axes with round ticks, lines, points, bars with whiskers.

use maud::{Markup, html};

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 40.0;
const BOTTOM: f64 = 34.0;
const TOP: f64 = 18.0;
const RIGHT: f64 = 8.0;

/// What an axis shows.
#[derive(Debug, Clone)]
pub struct Axis {
    /// Its title.
    pub title: String,
    /// Its ends.
    pub ends: [f64; 2],
}

impl Axis {
    /// An axis that holds all values and `at_least`.
    pub fn holding(title: &str, values: impl Iterator<Item = f64>, at_least: [f64; 2]) -> Self {
        let ends = values
            .filter(|v| v.is_finite())
            .fold(at_least, |[low, high], v| [low.min(v), high.max(v)]);
        Self { title: title.to_owned(), ends }
    }

    fn span(&self) -> f64 {
        (self.ends[1] - self.ends[0]).max(f64::MIN_POSITIVE)
    }

    /// Up to six round values, a step of 1, 2 or 5 times a power of ten apart.
    fn ticks(&self) -> Vec<f64> {
        let raw = self.span() / 5.0;
        let power = 10.0_f64.powf(raw.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * power >= raw).unwrap_or(10.0) * power;
        let (first, last) = (self.ends[0] / step, self.ends[1] / step);
        let (first, last) = ((first - 1e-9).ceil() as i64, (last + 1e-9).floor() as i64);
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

/// One of the things drawn; `series` numbers its style, from 0.
pub enum Mark {
    /// A line through points.
    Line { series: usize, points: Vec<[f64; 2]> },
    /// Separate points: circles in even, crosses in odd series.
    Points { series: usize, points: Vec<[f64; 2]> },
}

/// A chart of lines and points.
pub fn plot(title: &str, x: &Axis, y: &Axis, axes: bool, marks: &[Mark]) -> Markup {
    let at = |point: &[f64; 2]| [across(x, point[0]), up(y, point[1])];
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" {
            title { (title) }
            @if axes { (grid(x, y)) }
            @for mark in marks {
                @match mark {
                    Mark::Line { series, points } => {
                        polyline class=(format!("line s{series}")) points=(points.iter().map(|p| {
                            let [x, y] = at(p);
                            format!("{x:.1},{y:.1}")
                        }).collect::<Vec<_>>().join(" ")) {}
                    }
                    Mark::Points { series, points } => @for point in points {
                        @let [x, y] = at(point);
                        @if series % 2 == 0 {
                            circle class=(format!("point s{series}")) cx=(round(x)) cy=(round(y)) r="2" {}
                        } @else {
                            path class=(format!("cross s{series}"))
                                d=(format!("M{:.1} {:.1}l5 5m0 -5l-5 5", x - 2.5, y - 2.5)) {}
                        }
                    }
                }
            }
        }
    }
}

/// One bar: its name, its height, its whiskers and a mark beside it (a published value).
pub struct Bar {
    /// Name under the bar.
    pub name: String,
    /// Its height.
    pub value: f64,
    /// Ends of its whiskers.
    pub interval: Option<[f64; 2]>,
    /// A value to compare with.
    pub published: Option<f64>,
}

/// Horizontal bars, one under the other, from 0 to 1 (or below 0 where a value is).
pub fn bars(title: &str, bars: &[Bar]) -> Markup {
    const ROW: f64 = 26.0;
    const NAMES: f64 = 190.0;
    const LENGTH: f64 = 380.0;
    let values = bars
        .iter()
        .flat_map(|bar| std::iter::once(bar.value).chain(bar.interval.into_iter().flatten()));
    let axis = Axis::holding("MCC", values, [0.0, 1.0]);
    let x = |value: f64| NAMES + (value - axis.ends[0]) / axis.span() * LENGTH;
    let height = bars.len() as f64 * ROW + 30.0;
    html! {
        svg.wide viewBox=(format!("0 0 {} {height}", NAMES + LENGTH + 50.0)) role="img" {
            title { (title) }
            @for tick in axis.ticks() {
                line.grid x1=(round(x(tick))) x2=(round(x(tick))) y1="0" y2=(height - 22.0) {}
                text x=(round(x(tick))) y=(height - 8.0) text-anchor="middle" { (label(tick)) }
            }
            @for (i, bar) in bars.iter().enumerate() {
                @let top = i as f64 * ROW + 4.0;
                @let middle = top + 9.0;
                text x=(NAMES - 8.0) y=(middle + 4.0) text-anchor="end" { (bar.name) }
                rect.bar x=(round(x(bar.value.min(0.0)))) y=(top)
                    width=(round(x(bar.value.abs()) - x(0.0))) height="18" {}
                @if let Some([low, high]) = bar.interval {
                    path.whisker d=(format!(
                        "M{:.1} {middle}H{:.1}M{:.1} {}v8M{:.1} {}v8",
                        x(low), x(high), x(low), middle - 4.0, x(high), middle - 4.0
                    )) {}
                }
                @if let Some(published) = bar.published {
                    path.published d=(format!("M{:.1} {}l5 6l-5 6l-5 -6z", x(published), middle - 6.0)) {
                        title { "the paper: " (label(published)) }
                    }
                }
            }
        }
    }
}

fn grid(x: &Axis, y: &Axis) -> Markup {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    html! {
        @for tick in y.ticks() {
            line.grid x1=(LEFT) x2=(right) y1=(round(up(y, tick))) y2=(round(up(y, tick))) {}
            text x=(LEFT - 4.0) y=(round(up(y, tick) + 3.5)) text-anchor="end" { (label(tick)) }
        }
        @for tick in x.ticks() {
            line.grid x1=(round(across(x, tick))) x2=(round(across(x, tick))) y1=(TOP) y2=(bottom) {}
            text x=(round(across(x, tick))) y=(bottom + 13.0) text-anchor="middle" { (label(tick)) }
        }
        text x=((LEFT + right) / 2.0) y=(HEIGHT - 5.0) text-anchor="middle" { (x.title) }
        text x=(LEFT - 4.0) y=(TOP - 7.0) { (y.title) }
    }
}

fn across(x: &Axis, value: f64) -> f64 {
    LEFT + (value - x.ends[0]) / x.span() * (WIDTH - LEFT - RIGHT)
}

fn up(y: &Axis, value: f64) -> f64 {
    HEIGHT - BOTTOM - (value - y.ends[0]) / y.span() * (HEIGHT - BOTTOM - TOP)
}

fn round(value: f64) -> String {
    format!("{value:.1}")
}

fn label(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').replace("-0", "−0").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(low: f64, high: f64) -> Vec<String> {
        Axis { title: String::new(), ends: [low, high] }.ticks().into_iter().map(label).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(ticks(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(ticks(0.0, 260.0), ["0", "100", "200"]);
        assert_eq!(ticks(0.03, 0.11), ["0.04", "0.06", "0.08", "0.1"]);
    }

    #[test]
    fn an_axis_holds_its_values_and_survives_none() {
        let axis = Axis::holding("loss", [0.5, f64::NAN, 3.0].into_iter(), [0.0, 1.0]);
        assert_eq!(axis.ends, [0.0, 3.0]);
        let flat = Axis::holding("", std::iter::empty(), [0.0, 0.0]);
        assert!(across(&flat, 0.0).is_finite());
    }
}
