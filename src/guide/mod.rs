//! Guides: pages of this documentation, with no code. Their examples are tested.

#[doc = include_str!("joining.md")]
pub mod joining {}
