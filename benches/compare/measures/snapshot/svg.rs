//! A small writer of SVG: rectangles, lines, paths and text, in pixels from the top left corner.

use std::fmt::Write;

/// Where a text stands to its point.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// How a stroke looks: colour, width, and dashes (empty: a full line).
#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    pub colour: &'static str,
    pub width: f64,
    pub dashes: &'static str,
}

/// How a text looks.
#[derive(Clone, Copy, Debug)]
pub struct Font {
    pub colour: &'static str,
    pub size: f64,
    pub anchor: Anchor,
}

#[derive(Debug)]
pub struct Svg {
    text: String,
}

impl Svg {
    /// A picture with a background of its own, so that it reads on light and on dark pages.
    pub fn new(width: f64, height: f64, title: &str) -> Svg {
        let mut svg = Svg { text: String::new() };
        svg.line_of(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"system-ui, sans-serif\" role=\"img\">"
        ));
        svg.line_of(format_args!("<title>{}</title>", escape(title)));
        svg.line_of(format_args!(
            "<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d0d0d0\"/>",
            width - 1.0,
            height - 1.0
        ));
        svg
    }

    pub fn rectangle(&mut self, from: Point, to: Point, colour: &str) {
        let (width, height) = (to.x - from.x, to.y - from.y);
        self.line_of(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>",
            from.x, from.y
        ));
    }

    pub fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        let path = format!("M{:.1} {:.1}L{:.1} {:.1}", from.x, from.y, to.x, to.y);
        self.path(&path, stroke);
    }

    /// A path in the words of SVG (`M x y L x y ..`).
    pub fn path(&mut self, path: &str, stroke: Stroke) {
        let Stroke { colour, width, dashes } = stroke;
        let dashes =
            if dashes.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dashes}\"") };
        self.line_of(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{dashes}/>"
        ));
    }

    pub fn text(&mut self, at: Point, font: Font, text: &str) {
        let anchor = match font.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.line_of(format_args!(
            "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"{}\" text-anchor=\"{anchor}\" fill=\"{}\">{}</text>",
            at.x,
            at.y,
            font.size,
            font.colour,
            escape(text)
        ));
    }

    pub fn finish(mut self) -> String {
        self.text.push_str("</svg>\n");
        self.text
    }

    fn line_of(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("writing to a String does not fail");
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
