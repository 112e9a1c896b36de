//! The results as a picture: for each row that is plotted, a bar a client, on a log axis that begins
//! at the raw socket. Its colours are seen on white and on black.

use crate::measure::Measured;
use crate::peers::Client;
use crate::work::Row;
use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const TITLE: f64 = 54.0;
/// The rows stand in two columns. Of each, where its axis is at 1, and how long a tenfold is.
const COLUMNS: [f64; 2] = [128.0, 578.0];
const TENFOLD: f64 = 270.0;
/// Longer bars are cut off.
const LONGEST: f64 = 9.0;
const LINE: f64 = 14.0;
const HEADING: f64 = 29.0;

const TEXT: &str = "#7b828c";
const OURS: &str = "#2f81f7";
const OTHERS: &str = "#a09484";
const LIMIT: &str = "#e5534b";

/// How clients are called in the picture; those that are not here are left out.
fn label(name: &str) -> Option<String> {
    match name {
        "raw*" => None,
        "text" | "meta" | "binary" => Some(format!("moecache, {name}")),
        _ => Some(name.to_owned()),
    }
}

fn is_ours(name: &str) -> bool {
    matches!(name, "text" | "meta" | "binary")
}

pub fn plot(clients: &[&Client], results: &[(&Row, Measured)]) -> String {
    let groups: Vec<_> = results
        .iter()
        .filter(|(row, _)| row.plotted)
        .map(|(row, measured)| Group::new(row, clients, measured))
        .collect();
    let heights: Vec<f64> = groups.iter().map(Group::height).collect();
    let height = |heights: &[f64]| heights.iter().sum::<f64>();
    let longer = |left: usize| height(&heights[..left]).max(height(&heights[left..]));
    let left = (0..=groups.len()).min_by(|&one, &other| longer(one).total_cmp(&longer(other)));
    let left = left.expect("there is a way to divide them");
    let all = TITLE + longer(left) + 8.0;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {all}\" \
         font-family=\"Verdana, DejaVu Sans, sans-serif\" font-size=\"10\" fill=\"{TEXT}\">\n"
    );
    legend(&mut svg);
    for (column, groups, heights) in [
        (COLUMNS[0], &groups[..left], &heights[..left]),
        (COLUMNS[1], &groups[left..], &heights[left..]),
    ] {
        let mut top = TITLE;
        for (group, height) in groups.iter().zip(heights) {
            group.draw(&mut svg, column, top);
            top += height;
        }
    }
    svg.push_str("</svg>\n");
    assert!(is_well_formed(&svg), "{svg}");
    svg
}

fn legend(svg: &mut String) {
    text(svg, 8.0, 16.0, "font-size=\"13\" font-weight=\"bold\"", {
        "Time per operation, as a multiple of a raw socket's"
    });
    text(svg, 8.0, 33.0, "", {
        "Log axis, shorter is better. One core for client and servers, memcached on loopback."
    });
    for (x, colour, what) in [
        (560.0, OURS, "moecache"),
        (650.0, OTHERS, "others"),
        (725.0, LIMIT, "moecache's limit"),
    ] {
        let width = if colour == LIMIT { 2 } else { 10 };
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"24\" width=\"{width}\" height=\"10\" fill=\"{colour}\"/>"
        );
        text(svg, x + 14.0, 33.0, "", what);
    }
}

/// A row of the table.
struct Group<'a> {
    row: &'a Row,
    bars: Vec<Bar>,
}

struct Bar {
    label: String,
    ratio: f64,
    ours: bool,
    limited: bool,
}

impl<'a> Group<'a> {
    fn new(row: &'a Row, clients: &[&Client], measured: &Measured) -> Self {
        let bar = |(client, cell): (&&Client, &Option<_>)| {
            let cell: &crate::measure::Cell = cell.as_ref()?;
            Some(Bar {
                label: label(client.name)?,
                ratio: cell.ratio,
                ours: is_ours(client.name),
                limited: row.limit.1.contains(&client.name),
            })
        };
        let cells = clients.iter().zip(&measured.cells);
        Self {
            row,
            bars: cells.filter_map(bar).collect(),
        }
    }

    fn height(&self) -> f64 {
        let lines = u32::try_from(self.bars.len()).expect("it is few");
        HEADING + LINE * f64::from(lines) + 10.0
    }

    fn draw(&self, svg: &mut String, one: f64, top: f64) {
        let heading = "font-weight=\"bold\" font-size=\"11\"";
        text(svg, one, top + 12.0, heading, self.row.name);
        let bottom = top + self.height() - 10.0;
        for tick in [1.0, 2.0, 4.0, 8.0] {
            let opacity = if tick > 1.0 { 0.25 } else { 0.9 };
            let x = one + length(tick);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1} {:.1}V{bottom:.1}\" stroke=\"{TEXT}\" opacity=\"{opacity}\"/>",
                top + HEADING - 3.0
            );
            if tick > 1.0 {
                let above = "text-anchor=\"middle\" font-size=\"8\"";
                text(svg, x, top + HEADING - 5.0, above, &format!("{tick}"));
            }
        }
        let mut y = top + HEADING;
        for bar in &self.bars {
            bar.draw(svg, one, y, self.row.limit.0);
            y += LINE;
        }
    }
}

impl Bar {
    fn draw(&self, svg: &mut String, one: f64, y: f64, limit: f64) {
        let end = length(self.ratio.min(LONGEST));
        let colour = if self.ours { OURS } else { OTHERS };
        let name = if self.ours {
            format!("text-anchor=\"end\" fill=\"{OURS}\"")
        } else {
            "text-anchor=\"end\"".to_owned()
        };
        text(svg, one - 6.0 + end.min(0.0), y + 9.0, &name, &self.label);
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"10\" fill=\"{colour}\"/>",
            one + end.min(0.0),
            y,
            end.abs().max(1.0),
        );
        let mut after = end.max(0.0);
        if self.limited {
            after = after.max(length(limit));
            let _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"2\" height=\"12\" fill=\"{LIMIT}\"/>",
                one + length(limit) - 1.0,
                y - 1.0,
            );
        }
        let value = if self.ratio < 10.0 {
            format!("{:.2}", self.ratio)
        } else {
            format!("{:.0}", self.ratio)
        };
        let cut = if self.ratio > LONGEST { "… " } else { "" };
        text(
            svg,
            one + after + 5.0,
            y + 9.0,
            "",
            &format!("{cut}{value}"),
        );
    }
}

/// Of a bar.
fn length(ratio: f64) -> f64 {
    ratio.log10() * TENFOLD
}

fn text(svg: &mut String, x: f64, y: f64, attributes: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{text}</text>"
    );
}

/// Whether every tag is closed, in its order, and every attribute has its quotes.
fn is_well_formed(xml: &str) -> bool {
    let mut open = Vec::new();
    let mut rest = xml.trim_end();
    while let Some((before, after)) = rest.split_once('<') {
        let Some((tag, after)) = after.split_once('>') else {
            return false;
        };
        let outside_quotes = tag.split('"').step_by(2);
        let attributes = outside_quotes.filter(|it| it.ends_with('=')).count();
        let text_is_inside = before.trim().is_empty() || !open.is_empty();
        if tag.matches('"').count() != attributes * 2 || !text_is_inside {
            return false;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return false;
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        rest = after;
    }
    open.is_empty() && rest.is_empty()
}
