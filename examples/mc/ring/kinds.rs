//! Schemes that cannot be told apart by some keys, and may be by others.

use super::sample::made;
use crate::fleet::Fleet;
use moecache::{Result, Scheme, Server};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// How many made keys two schemes have to place alike to be of one kind.
const KEYS: usize = 10_000;

pub(super) struct Kinds(Vec<Kind>);

/// Schemes that place keys alike.
struct Kind {
    schemes: Vec<Scheme>,
    /// The server of each made key.
    owners: Vec<usize>,
}

impl Kinds {
    pub(super) fn new(schemes: &[Scheme], servers: &[Server], fleet: &Fleet) -> Result<Self> {
        let mut kinds: Vec<Kind> = Vec::new();
        for &scheme in schemes {
            let placer = fleet.placer_of(servers, Some(scheme))?;
            let owners = made().take(KEYS).map(|key| placer.place(key));
            let owners: Vec<usize> = owners.collect::<Result<_>>()?;
            match kinds.iter_mut().find(|kind| kind.owners == owners) {
                Some(kind) => kind.schemes.push(scheme),
                None => kinds.push(Kind {
                    schemes: vec![scheme],
                    owners,
                }),
            }
        }
        Ok(Self(kinds))
    }

    /// A scheme a line, and an empty line between kinds.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for (index, kind) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            for scheme in &kind.schemes {
                writeln!(out, "{scheme}")?;
            }
        }
        Ok(())
    }

    /// A few keys on whose servers no two kinds agree; `None` if there is one kind.
    pub(super) fn keys_that_tell(&self) -> Option<Vec<String>> {
        let mut told = Vec::new();
        loop {
            let apart = |told: &[usize]| {
                let owners = |kind: &Kind| told.iter().map(|&key| kind.owners[key]).collect();
                let seen: BTreeSet<Vec<usize>> = self.0.iter().map(owners).collect();
                seen.len()
            };
            if apart(&told) == self.0.len() {
                break;
            }
            // The one that tells the most apart, together with those before it. Kinds differ
            // somewhere, so that each tells more.
            let with = |&key: &usize| apart(&[&told[..], &[key]].concat());
            told.extend((0..KEYS).max_by_key(with));
        }
        let keys = made().take(KEYS).collect::<Vec<_>>();
        let told: Vec<String> = told.into_iter().map(|key| keys[key].clone()).collect();
        (!told.is_empty()).then_some(told)
    }
}
