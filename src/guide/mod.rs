//! Guides: pages for a purpose, in place of a page for a type. Documentation only.

#[doc = include_str!("behaviours.md")]
pub mod behaviours {}

pub mod coming_from;

#[doc = include_str!("failures.md")]
pub mod failures {}

#[doc = include_str!("joining.md")]
pub mod joining {}

#[doc = include_str!("recipes.md")]
pub mod recipes {}

#[doc = include_str!("tuning.md")]
pub mod tuning {}
