//! The pages "Coming from ..." of the guide.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What the tables of a page name of the other client: the words of the code in their first columns.
pub fn named_by(page: &str) -> BTreeSet<String> {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/coming_from");
    let text =
        fs::read_to_string(pages.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let first_columns = text.lines().filter_map(|line| {
        let row = line.strip_prefix("| ")?;
        Some(row.split(" | ").next().unwrap_or_default().to_owned())
    });
    let mut words = BTreeSet::new();
    for column in first_columns {
        for code in column.split('`').skip(1).step_by(2) {
            let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
            words.extend(code.split(|letter| !is_part(letter)).map(str::to_owned));
        }
    }
    words
}

/// Fails if the page leaves out any of those names.
pub fn names_all<'a>(page: &str, names: impl IntoIterator<Item = &'a str>) {
    let on_page = named_by(page);
    let names: BTreeSet<&str> = names.into_iter().collect();
    assert!(!names.is_empty(), "{page}: nothing to look for");
    let left_out: Vec<_> = names
        .iter()
        .filter(|name| !on_page.contains(**name))
        .collect();
    assert!(left_out.is_empty(), "{page} says nothing of {left_out:?}");
}
