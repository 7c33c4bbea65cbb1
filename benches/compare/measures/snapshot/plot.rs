//! The picture: how long a PING took, over the seconds around one save, a panel for each server.
//!
//! Both panels have the same axes: seconds since BGSAVE, and milliseconds on a logarithmic scale. A column of two
//! pixels shows the PINGs of its stretch of time as a bar from the fastest to the slowest, and their median on a
//! line. The save is shaded, the fork is a dashed line at 0.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::series::Series;
use super::svg::{Anchor, Font, Point, Stroke, Svg};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 640.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = WIDTH - 24.0;
/// Of the first panel, and from one to the next.
const TOP: f64 = 92.0;
const STRIDE: f64 = 270.0;
const PANEL_HEIGHT: f64 = 210.0;
const COLUMN: f64 = 2.0;

const INK: &str = "#1f2328";
const PALE_INK: &str = "#59636e";
const GRID: &str = "#e3e6ea";
const SHADE: &str = "#fbf0cf";
/// Bars and line of each panel.
const COLOURS: [(&str, &str); 2] = [("#e5948e", "#8f1d16"), ("#8fb9e3", "#0b4a8f")];

/// One server through one save; seconds count from BGSAVE.
#[derive(Debug)]
pub struct Panel {
    name: &'static str,
    /// When a PING was sent, seconds, and how long it took, milliseconds.
    answers: Vec<(f64, f64)>,
    first_s: f64,
    last_s: f64,
    save_s: f64,
    fork_ms: f64,
    longest_ms: f64,
}

impl Panel {
    /// The first save of a series, from `lead` before it until `span` after its start.
    pub fn of(name: &'static str, series: &Series, lead: Duration, span: Duration) -> io::Result<Panel> {
        let save = series.saves.first().ok_or_else(|| io::Error::other("nothing was saved"))?;
        let start = save.time.start;
        let seconds = |at: Instant| match at.checked_duration_since(start) {
            Some(after) => after.as_secs_f64(),
            None => -(start - at).as_secs_f64(),
        };
        let seen = series.trace.within(&(start - lead..start + span));
        let answers = seen.iter().map(|answer| (seconds(answer.sent), answer.took.as_secs_f64() * 1e3));
        Ok(Panel {
            name,
            answers: answers.collect(),
            first_s: -lead.as_secs_f64(),
            last_s: span.as_secs_f64(),
            save_s: save.seconds(),
            fork_ms: save.fork_us as f64 / 1e3,
            longest_ms: series.around(save)?.longest_ms,
        })
    }
}

/// Draws two panels of the same stretch of time into a file.
pub fn write(path: &Path, subject: &str, panels: &[Panel; 2]) -> io::Result<()> {
    fs::write(path, draw(subject, panels))
}

fn draw(subject: &str, panels: &[Panel; 2]) -> String {
    let title = format!("How long a PING takes while {subject} are saved");
    let mut svg = Svg::new(WIDTH, HEIGHT, &title);
    svg.text(Point { x: LEFT, y: 32.0 }, Font { colour: INK, size: 18.0, anchor: Anchor::Start }, &title);
    let legend = "A PING every millisecond, 20,000 random keys overwritten a second. Bars: fastest to slowest; \
                  line: median. Shaded: the save.";
    svg.text(Point { x: LEFT, y: 54.0 }, small(Anchor::Start), legend);
    let decades = decades(panels);
    for ((panel, colours), number) in panels.iter().zip(COLOURS).zip(0..) {
        let scale = Axes { top: TOP + STRIDE * f64::from(number), panel, decades };
        scale.draw(&mut svg, colours);
    }
    svg.text(
        Point { x: f64::midpoint(LEFT, RIGHT), y: HEIGHT - 12.0 },
        small(Anchor::Middle),
        "seconds since BGSAVE",
    );
    svg.finish()
}

fn small(anchor: Anchor) -> Font {
    Font { colour: PALE_INK, size: 13.0, anchor }
}

fn thin(colour: &'static str) -> Stroke {
    Stroke { colour, width: 1.0, dashes: "" }
}

/// Powers of ten that enclose every answer, in milliseconds.
fn decades(panels: &[Panel; 2]) -> (i32, i32) {
    let took = || panels.iter().flat_map(|panel| &panel.answers).map(|&(_, took_ms)| took_ms);
    let smallest = took().fold(1.0, f64::min).max(1e-3);
    let largest = took().fold(1.0, f64::max);
    (smallest.log10().floor() as i32, largest.log10().ceil() as i32)
}

/// A panel and where its values lie.
#[derive(Clone, Copy, Debug)]
struct Axes<'a> {
    top: f64,
    panel: &'a Panel,
    decades: (i32, i32),
}

impl Axes<'_> {
    fn x(&self, seconds: f64) -> f64 {
        let Panel { first_s, last_s, .. } = *self.panel;
        LEFT + (seconds - first_s) / (last_s - first_s) * (RIGHT - LEFT)
    }

    fn y(&self, milliseconds: f64) -> f64 {
        let (low, high) = self.decades;
        let share = (milliseconds.log10() - f64::from(low)) / f64::from(high - low);
        self.bottom() - share.clamp(0.0, 1.0) * PANEL_HEIGHT
    }

    fn bottom(&self) -> f64 {
        self.top + PANEL_HEIGHT
    }

    fn draw(&self, svg: &mut Svg, (bars, line): (&'static str, &'static str)) {
        let Panel { name, save_s, fork_ms, longest_ms, .. } = *self.panel;
        let summary =
            format!("{name}: saved in {save_s:.2} s, fork {fork_ms:.1} ms, slowest PING {longest_ms:.1} ms");
        let above = Point { x: LEFT, y: self.top - 10.0 };
        svg.text(above, Font { colour: line, size: 14.0, anchor: Anchor::Start }, &summary);
        let saved = Point { x: self.x(save_s.min(self.panel.last_s)), y: self.bottom() };
        svg.rectangle(Point { x: self.x(0.0), y: self.top }, saved, SHADE);
        self.draw_grid(svg);
        self.draw_answers(svg, bars, line);
        let fork = self.x(0.0);
        let dashed = Stroke { colour: INK, width: 1.2, dashes: "4 3" };
        svg.line(Point { x: fork, y: self.top }, Point { x: fork, y: self.bottom() }, dashed);
        svg.text(Point { x: fork + 6.0, y: self.top + 14.0 }, small(Anchor::Start), "fork");
    }

    fn draw_grid(&self, svg: &mut Svg) {
        for decade in self.decades.0..=self.decades.1 {
            let milliseconds = 10_f64.powi(decade);
            let y = self.y(milliseconds);
            svg.line(Point { x: LEFT, y }, Point { x: RIGHT, y }, thin(GRID));
            svg.text(Point { x: LEFT - 8.0, y: y + 4.5 }, small(Anchor::End), &format!("{milliseconds} ms"));
        }
        let step = tick(self.panel.last_s - self.panel.first_s);
        let mut number = (self.panel.first_s / step).ceil();
        while number * step <= self.panel.last_s {
            let x = self.x(number * step);
            svg.line(Point { x, y: self.top }, Point { x, y: self.bottom() }, thin(GRID));
            // Adding a zero makes one of a negative zero.
            let label = format!("{}", (number * step * 100.0).round() / 100.0 + 0.0);
            svg.text(Point { x, y: self.bottom() + 18.0 }, small(Anchor::Middle), &label);
            number += 1.0;
        }
    }

    fn draw_answers(&self, svg: &mut Svg, bars: &'static str, line: &'static str) {
        let mut bar_path = String::new();
        let mut line_path = String::new();
        let mut rest = self.panel.answers.as_slice();
        let mut left = LEFT;
        while left < RIGHT {
            let count = rest.partition_point(|&(sent_s, _)| self.x(sent_s) < left + COLUMN);
            let (column, later) = rest.split_at(count);
            let x = left + COLUMN / 2.0;
            if let Some([fastest, median, slowest]) = spread(column) {
                let (fastest, slowest) = (self.y(fastest), self.y(slowest));
                // A bar is at least one pixel tall.
                write!(bar_path, "M{x:.0} {:.1}V{slowest:.1}", fastest.max(slowest + 1.0))
                    .expect("writing to a String does not fail");
                let letter = if line_path.is_empty() { 'M' } else { 'L' };
                write!(line_path, "{letter}{x:.0} {:.1}", self.y(median))
                    .expect("writing to a String does not fail");
            }
            rest = later;
            left += COLUMN;
        }
        svg.path(&bar_path, Stroke { colour: bars, width: COLUMN, dashes: "" });
        svg.path(&line_path, Stroke { colour: line, width: 1.3, dashes: "" });
    }
}

/// Fastest, median and slowest.
fn spread(column: &[(f64, f64)]) -> Option<[f64; 3]> {
    let mut took: Vec<f64> = column.iter().map(|&(_, took_ms)| took_ms).collect();
    took.sort_by(f64::total_cmp);
    Some([*took.first()?, took[took.len() / 2], *took.last()?])
}

/// A step of 1, 2 or 5 times a power of ten that divides a stretch into at most twelve.
fn tick(stretch: f64) -> f64 {
    let power = 10_f64.powf((stretch / 12.0).log10().floor());
    [1.0, 2.0, 5.0]
        .map(|step| step * power)
        .into_iter()
        .find(|step| stretch / step <= 12.0)
        .unwrap_or(10.0 * power)
}
