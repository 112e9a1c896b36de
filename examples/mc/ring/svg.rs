//! The shares as a picture: a bar for each server, and the ring where there is one. Its colours are
//! seen on white and on black.

use super::around::{PARTS, Ring};
use super::bar::{percent, ratio};
use super::shares::Row;
use moecache::{Client, Result};
use std::f64::consts::TAU;
use std::fmt::{self, Write as _};

const WIDTH: f64 = 900.0;
const TOP: f64 = 66.0;
/// From one bar to the next.
const LINE: f64 = 24.0;
/// A letter of a label, on average.
const LETTER: f64 = 6.9;

/// The room of the percentages.
const PERCENT: f64 = 70.0;

/// The room of the ring, and its radii.
const ROOM: f64 = 290.0;
const OUTER: f64 = 124.0;
const INNER: f64 = 88.0;

const TEXT: &str = "#7b828c";
/// Once they are used up they begin again, darker.
const COLOURS: [[u8; 3]; 10] = [
    [0x3b, 0x82, 0xd6],
    [0xe8, 0x86, 0x2e],
    [0x3f, 0xa5, 0x5a],
    [0xd9, 0x53, 0x4f],
    [0x90, 0x67, 0xc6],
    [0x2a, 0xa7, 0xb0],
    [0xcf, 0xa8, 0x1d],
    [0xdd, 0x6f, 0xae],
    [0xa0, 0x71, 0x4f],
    [0x8b, 0x94, 0x9e],
];

/// `name` is that of the keys that were counted.
pub(super) fn draw(client: &Client, shares: &[Row<'_>], name: &str) -> Result<String> {
    let ring = Ring::of(client)?;
    let left = if ring.is_some() { ROOM } else { 0.0 };
    let bars = Bars::new(shares, left + 12.0);
    let room = bars.height().max(left);
    let height = TOP + room + 8.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" \
         font-family=\"Verdana, DejaVu Sans, sans-serif\" font-size=\"11\" fill=\"{TEXT}\">\n"
    );
    let title = match client.scheme() {
        Some(scheme) => format!("Shares of the servers by {scheme}"),
        None => "Shares of the servers".to_owned(),
    };
    let large = "font-size=\"14\" font-weight=\"bold\"";
    text(&mut svg, 12.0, 22.0, large, title);
    text(&mut svg, 12.0, 41.0, "", bars.legend(name));
    if let Some(ring) = &ring {
        draw_ring(&mut svg, ring, shares.len());
    }
    bars.draw(&mut svg, TOP + (room - bars.height()) / 2.0);
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// Hashes go clockwise, from the top.
fn draw_ring(svg: &mut String, ring: &Ring, servers: usize) {
    let (x, y) = (12.0 + OUTER, TOP + 14.0 + OUTER);
    let at = |radius: f64, part: usize| {
        let angle = whole(part) / whole(PARTS) * TAU;
        let (sin, cos) = angle.sin_cos();
        format!("{:.2} {:.2}", x + radius * sin, y - radius * cos)
    };
    for arc in &ring.arcs {
        let [outer, inner] =
            [OUTER, INNER].map(|radius| (at(radius, arc.from), at(radius, arc.to)));
        let colour = colour(arc.server);
        let _ = writeln!(
            svg,
            "<path d=\"M{} A{OUTER} {OUTER} 0 0 1 {} L{} A{INNER} {INNER} 0 0 0 {} Z\" \
             fill=\"{colour}\" stroke=\"{colour}\" stroke-width=\"0.4\"/>",
            outer.0, outer.1, inner.1, inner.0
        );
    }
    let middle = "text-anchor=\"middle\"";
    let _ = writeln!(
        svg,
        "<path d=\"M{x} {:.1}v-6\" stroke=\"{TEXT}\" stroke-width=\"1.5\"/>",
        y - OUTER - 1.0
    );
    text(svg, x, y - OUTER - 10.0, middle, "0");
    text(svg, x, y - 2.0, middle, format_args!("{servers} servers"));
    text(
        svg,
        x,
        y + 14.0,
        middle,
        format_args!("hashes of {} bits", ring.bits),
    );
}

/// A bar for each server.
struct Bars<'a> {
    shares: &'a [Row<'a>],
    /// All that were counted.
    keys: u64,
    /// Where the labels begin.
    left: f64,
    /// Where the bars begin.
    zero: f64,
    /// How long a bar of all would be.
    all: f64,
}

impl<'a> Bars<'a> {
    fn new(shares: &'a [Row<'a>], left: f64) -> Self {
        let keys = shares.iter().map(|share| share.keys).sum();
        let longest = shares
            .iter()
            .map(|share| share.server.chars().count())
            .max();
        let zero = left + whole(longest.unwrap_or(0)) * LETTER + PERCENT;
        let parts = shares
            .iter()
            .flat_map(|it| [it.share, Some(ratio(it.keys, keys))]);
        let largest = parts.flatten().fold(0.0, f64::max);
        Self {
            shares,
            keys,
            left,
            zero,
            all: (WIDTH - 14.0 - zero).max(100.0) / f64::max(largest, 1e-9),
        }
    }

    fn height(&self) -> f64 {
        LINE * whole(self.shares.len())
    }

    fn legend(&self, name: &str) -> String {
        let keys = self.keys;
        if self.shares.iter().any(|it| it.share.is_some()) {
            format!("Bars: of the hash space. Marks: of {keys} {name}. Dashes: if all were even.")
        } else {
            format!("Of {keys} {name}. Dashes: if all were even.")
        }
    }

    fn draw(&self, svg: &mut String, top: f64) {
        let zero = self.zero;
        for (index, row) in self.shares.iter().enumerate() {
            let y = top + LINE * whole(index);
            let of_keys = ratio(row.keys, self.keys);
            let part = row.share.unwrap_or(of_keys);
            text(svg, self.left, y + 14.0, "", row.server);
            let right = "text-anchor=\"end\"";
            text(svg, zero - 9.0, y + 14.0, right, percent(part));
            let _ = writeln!(
                svg,
                "<rect x=\"{zero:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"14\" fill=\"{}\"/>",
                y + 3.0,
                part * self.all,
                colour(index)
            );
            if row.share.is_some() {
                let x = zero + of_keys * self.all - 1.0;
                let _ = writeln!(
                    svg,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"2\" height=\"20\" fill=\"{TEXT}\"/>"
                );
            }
        }
        let even = zero + self.all / whole(self.shares.len());
        let _ = writeln!(
            svg,
            "<path d=\"M{even:.1} {:.1}v{:.1}\" stroke=\"{TEXT}\" stroke-dasharray=\"3 3\"/>",
            top - 4.0,
            self.height() + 4.0
        );
    }
}

fn colour(server: usize) -> String {
    let again = server >= COLOURS.len();
    let [red, green, blue] = COLOURS[server % COLOURS.len()].map(|part| {
        // Two thirds, of a byte.
        if again { part / 3 * 2 } else { part }
    });
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn text(svg: &mut String, x: f64, y: f64, attributes: &str, text: impl fmt::Display) {
    let text = text.to_string().replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" {attributes}>{text}</text>"
    );
}

/// Of servers, or of parts.
fn whole(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
