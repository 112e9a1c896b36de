//! Everything that was recorded of the peers, `tests/vectors/{placement,values}`, in one table:
//!
//! ```console
//! $ cargo test --all-features --lib recorded_vectors -- --nocapture
//! ```

use crate::{locator, value};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_placement_and_every_value_of_every_peer() {
    let placements = locator::vectors::check();
    let values = value::tests::check();

    println!(
        "peer                scheme                                             placements    values  differences"
    );
    let row = |peer: &str, scheme: &str, counts: [String; 2], differences: usize| {
        let [placements, values] = counts;
        println!("{peer:19} {scheme:50} {placements:>10} {values:>9} {differences:>12}");
    };
    for it in &placements {
        let counts = [it.placements.to_string(), String::new()];
        row(&it.peer, &it.scheme, counts, it.differences);
    }
    for it in &values {
        // A difference has ended the test before.
        let counts = [String::new(), (it.stores + it.reads).to_string()];
        row(&it.peer, &it.scheme, counts, 0);
        for (why, count) in &it.skipped {
            println!("{:19} {count} not both ways: {why}", "");
        }
    }
    let placed = placements.iter().map(|it| it.placements).sum::<usize>();
    let stored = values.iter().map(|it| it.stores).sum::<usize>();
    let read = values.iter().map(|it| it.reads).sum::<usize>();
    let differences = placements.iter().map(|it| it.differences).sum();
    let counts = [placed.to_string(), (stored + read).to_string()];
    row("all", "", counts, differences);
    assert_eq!(differences, 0);

    if cfg!(all(feature = "sha1", feature = "tiger")) {
        assert_eq!(placed, 1_138_466);
    }
    if cfg!(all(
        feature = "json",
        feature = "lz4",
        feature = "pickle",
        feature = "zlib"
    )) {
        assert_eq!((stored, read), (788, 4440));
        // None is left out.
        let files: BTreeSet<&str> = values.iter().map(|it| it.file).collect();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/values");
        for file in std::fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            // Pickles in all protocols, which no client stored: a test of the reader alone.
            let is_checked = files.contains(&*name) || name == "python_pickles.json";
            assert!(is_checked, "{name} is in no table");
        }
    }
}
