//! `mc ring identify`: which client filled a deployment, and how it was set up.

use super::bar::{percent, ratio};
use super::kinds::Kinds;
use super::records::{self, Deployment};
use crate::fleet::Fleet;
use crate::names;
use crate::outcome::{Failure, Outcome, say};
use clap::Args;
use moecache::{Result, Scheme};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;

#[derive(Args)]
pub(super) struct Identify {
    /// Recorded keys and their servers, as `mc ring verify` takes them; a scheme that is recorded
    /// does not count. Those of pylibmc and php-memcached go by libmemcached's names. - is standard input
    file: String,
}

/// A scheme, and how many of the recorded keys it places where they were.
struct Fit {
    scheme: Scheme,
    right: u64,
}

/// Why schemes cannot be, and which.
#[derive(Default)]
struct Untried(BTreeMap<String, Vec<String>>);

impl Identify {
    pub(super) fn run(self, fleet: &Fleet, out: &mut impl Write) -> Result<Outcome, Failure> {
        let deployments = records::read(&self.file, fleet)?;
        let keys: usize = deployments.iter().map(|it| it.placements.len()).sum();
        let keys = u64::try_from(keys).unwrap_or(u64::MAX);
        let (fits, untried) = try_all(&deployments, fleet);
        if fits.is_empty() {
            untried.say();
            return Err(Failure::Usage("no scheme could be tried".to_owned()));
        }
        let right = fits.iter().filter(|fit| fit.right == keys);
        let right: Vec<Scheme> = right.map(|fit| fit.scheme).collect();
        if right.is_empty() {
            untried.say();
            say_the_best(fits, keys, fleet.question_of_prefix());
            return Ok(Outcome::Unmet);
        }
        // Schemes differ the most where there are the most servers.
        let largest = deployments.iter().map(|it| &it.servers);
        let largest = largest.max_by_key(|servers| servers.len());
        let kinds = Kinds::new(&right, largest.map_or(&[], Vec::as_slice), fleet)?;
        let written = kinds.write(out);
        if let Some(keys) = kinds.keys_that_tell() {
            let keys = keys.iter().map(|key| fleet.prefix().to_owned() + key);
            let keys: Vec<String> = keys.collect();
            say(&format!(
                "the schemes with an empty line between them differ on other keys; to tell them \
                 apart, record too where these are: {}",
                keys.join(", ")
            ));
        }
        say_whose_values(&right);
        Outcome::Done.despite(written)
    }
}

/// All schemes that there can be with these servers and keys, and why others cannot.
fn try_all(deployments: &[Deployment], fleet: &Fleet) -> (Vec<Fit>, Untried) {
    let mut fits = Vec::new();
    let mut untried = Untried::default();
    for scheme in Scheme::all() {
        match right(scheme, deployments, fleet) {
            Ok(right) => fits.push(Fit { scheme, right }),
            Err(error) => {
                let alike = untried.0.entry(format!("{error:#}")).or_default();
                alike.push(scheme.to_string());
            }
        }
    }
    (fits, untried)
}

impl Untried {
    fn say(&self) {
        for (reason, schemes) in &self.0 {
            let (first, more) = (&schemes[0], schemes.len() - 1);
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            say(&format!("not tried: {first}{more}: {reason}"));
        }
    }
}

/// How many of the recorded keys `scheme` places where they were.
fn right(scheme: Scheme, deployments: &[Deployment], fleet: &Fleet) -> Result<u64> {
    let mut right = 0;
    for deployment in deployments {
        let placer = fleet.placer_of(&deployment.servers, Some(scheme))?;
        for placement in &deployment.placements {
            right += u64::from(placer.place(&placement.key)? == placement.server);
        }
    }
    Ok(right)
}

/// Only placements were recorded, and clients that place alike store otherwise.
fn say_whose_values(right: &[Scheme]) {
    let others = right
        .iter()
        .map(|&scheme| names::of_others(scheme).collect());
    let others: Option<Vec<Scheme>> = others.into_iter().find(|it: &Vec<_>| !it.is_empty());
    let example = match others {
        Some(others) => {
            let others: Vec<String> = others.iter().map(Scheme::to_string).collect();
            format!(", as in {}", others.join(" or "))
        }
        None => String::new(),
    };
    say(&format!(
        "these are placements; for values name the client that is there{example}"
    ));
}

fn say_the_best(mut fits: Vec<Fit>, keys: u64, question: &str) {
    fits.sort_by_key(|fit| Reverse(fit.right));
    say(&format!(
        "no scheme places all {keys} keys so; the best are"
    ));
    for Fit { scheme, right } in fits.into_iter().take(3) {
        say(&format!(
            "{scheme}: {right}, {}",
            percent(ratio(right, keys))
        ));
    }
    say(&format!(
        "do the servers have the order that they have there, the ports, the weights, and the \
         spelling of the hosts?{question}"
    ));
}
