//! How the settings of keys parse and print.

use crate::error::Error;

/// The name of `value`.
pub(super) fn name<T: PartialEq>(names: &[(T, &'static str)], value: &T) -> &'static str {
    let name = names.iter().find(|(known, _)| known == value);
    name.map_or("", |(_, name)| name)
}

/// The value that `text` names; `setting` is what the error begins with.
pub(super) fn parse<T: Copy>(
    setting: &str,
    names: &[(T, &'static str)],
    text: &str,
) -> Result<T, Error> {
    let known = names.iter().find(|(_, name)| *name == text);
    known.map(|&(value, _)| value).ok_or_else(|| {
        let allowed: Vec<&str> = names.iter().map(|&(_, name)| name).collect();
        let allowed = allowed.join(", ");
        Error::validation(format!(
            "{setting}: {text:?} is not known; allowed are {allowed}"
        ))
    })
}
