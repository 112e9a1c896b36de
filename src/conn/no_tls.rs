//! In place of `tls.rs` where the feature is off: there are no sessions, and `build` refuses the
//! settings.

use super::deadline::Deadline;
use super::fault::Fault;
use super::wire::{Wait, Wire};
use crate::address::Address;
use crate::error::Error;
use crate::tls::Tls;
use std::io::{IoSlice, IoSliceMut};

#[derive(Debug, Clone)]
pub(crate) enum Security {}

#[derive(Debug)]
pub(super) enum Connector {}

#[derive(Debug)]
pub(super) enum Session {}

impl Security {
    pub(crate) fn new(_: &Tls) -> Result<Self, Error> {
        Err(Error::validation(
            "tls: it needs the feature tls of this crate, which is off",
        ))
    }

    pub(super) fn connector(&self, _: &Address) -> Result<Connector, Error> {
        match *self {}
    }
}

impl Session {
    pub(super) fn handshake(
        tls: &Connector,
        _: &mut Wire,
        _: Deadline,
    ) -> Result<Box<Self>, Fault> {
        match *tls {}
    }

    pub(super) fn is_quiet(&mut self, _: &mut Wire) -> bool {
        match *self {}
    }

    pub(super) fn is_drained(&mut self) -> bool {
        match *self {}
    }

    pub(super) fn read(
        &mut self,
        _: &mut Wire,
        _: &mut [IoSliceMut<'_>],
        _: Deadline,
        _: Wait,
    ) -> Result<usize, Fault> {
        match *self {}
    }

    pub(super) fn write(
        &mut self,
        _: &mut Wire,
        _: &[IoSlice<'_>],
        _: Deadline,
        _: Wait,
    ) -> Result<usize, Fault> {
        match *self {}
    }
}
