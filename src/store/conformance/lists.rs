//! Laws about lists of keys.

use super::subject::{Subject, Verdict, ensure, equal};
use std::collections::BTreeSet;

pub(super) fn listed(subject: &Subject<'_>) -> Verdict {
    let names = ["a.1", "a.2", "ab", "b"];
    for name in names {
        subject.store.put(&subject.key(name), b"value")?;
    }
    subject.lists("", &names)?;
    subject.lists("a", &names[..3])?;
    subject.lists("a.", &names[..2])?;
    subject.lists("a.1", &names[..1])?;
    subject.lists("c", &[])?;
    // It may have other keys, too.
    subject.eventually(|| {
        let mut all = BTreeSet::new();
        for key in subject.store.iter_keys("") {
            let key = key?;
            let twice = format!("iter_keys(\"\") lists {key:?} twice");
            ensure(all.insert(key), || twice)?;
        }
        let mut ours = names.iter().map(|name| subject.key(name));
        ensure(ours.all(|key| all.contains(&key)), || {
            "iter_keys(\"\") leaves out a key".to_owned()
        })
    })?;
    subject.store.delete(&subject.key("ab"))?;
    subject.lists("a", &names[..2])
}

pub(super) fn prefix_is_text(subject: &Subject<'_>) -> Verdict {
    for name in ["pax", "p?x", "p[a]x", "p.x", "p%x", "p_x"] {
        subject.store.put(&subject.key(name), b"value")?;
    }
    for prefix in ["p?", "p[a]", "p.", "p%", "p_", "p[", "p^"] {
        let name = format!("{prefix}x");
        let names = match prefix {
            "p[" => vec!["p[a]x"],
            "p^" => vec![],
            _ => vec![&*name],
        };
        subject.lists(prefix, &names)?;
    }
    // What no key begins with.
    for prefix in ["p*", "*", " ", "\\p", "p\r\n", "\u{e4}"] {
        subject.lists(prefix, &[])?;
    }
    Ok(())
}

pub(super) fn prefixes(subject: &Subject<'_>) -> Verdict {
    for name in ["a..1", "a..2", "a.3", "b..1", "c"] {
        subject.store.put(&subject.key(name), b"value")?;
    }
    subject.lists("", &["a..1", "a..2", "a.3", "b..1", "c"])?;
    let rows: [(&str, &str, &[&str]); 4] = [
        ("..", "", &["a..", "a.3", "b..", "c"]),
        (".", "a.", &["a..", "a.3"]),
        (".", "c", &["c"]),
        (".", "d", &[]),
    ];
    let base = subject.key("");
    for (delimiter, prefix, expected) in rows {
        subject.eventually(|| {
            let below = format!("{base}{prefix}");
            let found: Result<Vec<_>, _> = subject.store.iter_prefixes(delimiter, &below).collect();
            let mut found = found?;
            found.sort();
            let expected: Vec<_> = expected
                .iter()
                .map(|name| format!("{base}{name}"))
                .collect();
            let call = format!("iter_prefixes({delimiter:?}, {below:?})");
            equal(&call, &found, &expected)
        })?;
    }
    Ok(())
}
