//! The names of schemes: several clients place keys by the rules of one, and differ in their values.

use moecache::{Library, Scheme};

/// Those that place keys as `owner` does, by all of its rules.
fn others_of(owner: Library) -> &'static [Library] {
    match owner {
        Library::Libmemcached => &[Library::Pylibmc, Library::PhpMemcached],
        Library::EnyimCore => &[Library::EnyimCoreMessagePack],
        _ => &[],
    }
}

/// The same placement as other clients have it, each by its own name.
pub(crate) fn of_others(scheme: Scheme) -> impl Iterator<Item = Scheme> {
    let name = scheme.to_string();
    let others = others_of(scheme.peer()).iter();
    others.filter_map(move |other| {
        let (_, rule) = name.split_once(':')?;
        format!("{other}:{rule}").parse().ok()
    })
}
