//! The example of one hot key. How often it is made and how long anybody waits is in its output, and a
//! matter of the machine; what the cache promises of it is in `cache`.

use super::{example, text};
use std::process::Command;

#[test]
fn hot_key() {
    let mut command = Command::new(example("hot_key"));
    let answer = command.args(["--seconds", "1"]).output().unwrap();
    assert!(answer.status.success(), "{}", text(&answer.stderr));
    let output = text(&answer.stdout);
    let (_, table) = output.split_once("PROTOCOL  CALLS").unwrap();
    let rows: Vec<_> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), 5, "{output}");
    for row in rows {
        let mut columns = row.split_whitespace().skip(1);
        let mut number = || columns.next().unwrap().parse::<u64>().unwrap();
        let (calls, expired, made) = (number(), number(), number());
        assert!(calls >= made && made >= expired && expired > 0, "{output}");
    }
}
