//! The names of settings whose values have names: how they parse and print.

use crate::error::Error;

/// Gives the variants of an enum their names: `Display` prints them, and `FromStr` parses them. What
/// it cannot parse is a validation error, which begins with `$setting` and lists the names.
///
/// `$word`, if given, takes what others write for a name, and returns it as the table has it.
macro_rules! names {
    (@word $text:ident) => {
        $text
    };
    (@word $text:ident, $word:expr) => {
        &*$word($text)
    };
    ($type:ident, $setting:literal $(, $word:expr)?; $($variant:ident $name:literal)+) => {
        impl $type {
            const NAMES: &'static [(Self, &'static str)] = &[$((Self::$variant, $name)),+];
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::names::name(Self::NAMES, self))
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::Error;

            fn from_str(text: &str) -> Result<Self, $crate::Error> {
                let word = $crate::names::names!(@word text $(, $word)?);
                let named = $crate::names::named(Self::NAMES, word);
                named.ok_or_else(|| $crate::names::unknown($setting, text, "", Self::NAMES))
            }
        }
    };
}

pub(crate) use names;

/// Returns the name of `value`.
pub(crate) fn name<T: PartialEq>(names: &[(T, &'static str)], value: &T) -> &'static str {
    let name = names.iter().find(|(known, _)| known == value);
    name.map_or("", |(_, name)| name)
}

/// Returns the value of this name.
pub(crate) fn named<T: Copy>(names: &[(T, &'static str)], word: &str) -> Option<T> {
    let known = names.iter().find(|(_, name)| *name == word);
    known.map(|&(value, _)| value)
}

/// Returns the error for a `text` that is no name. `hint` says what to do besides.
pub(crate) fn unknown<T>(
    setting: &str,
    text: &str,
    hint: &str,
    names: &[(T, &'static str)],
) -> Error {
    let allowed: Vec<&str> = names.iter().map(|&(_, name)| name).collect();
    let allowed = allowed.join(", ");
    Error::validation(format!(
        "{setting}: {text:?} is not known{hint}; allowed are {allowed}"
    ))
}
