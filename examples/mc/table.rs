//! Tables without lines: they read well, and `awk` and `cut` take them apart.

use comfy_table::{Attribute, Cell, CellAlignment, Table, presets};
use std::env;

/// The first column is on the left, the others on the right. The names are bold on a terminal, unless
/// `NO_COLOR` is set (<https://no-color.org>).
pub(crate) fn table<'a>(names: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    if env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        table.force_no_tty();
    }
    let names = names.into_iter();
    table.set_header(names.map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
