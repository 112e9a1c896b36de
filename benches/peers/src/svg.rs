//! The plot.

use crate::measure::Measured;
use crate::peers::Client;
use crate::work::Row;

pub fn plot(_clients: &[&Client], _results: &[(&Row, Measured)]) -> String {
    String::new()
}
